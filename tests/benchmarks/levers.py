"""Compare settings of a training by paired seeds: ``python -m tests.benchmarks.levers``.

``run OUT`` trains every arm with every seed and adds a line of JSON for each training to a file;
what is there is not trained again, so several processes with arms of their own may share it.
``table OUT`` puts the lines together, each arm beside the one that it changes. It needs MNIST under
$FLYWEIGHT_DATA, and reads its training part alone.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import torch

from search.workers.devices import choose_device, hardware
from space import Architecture, build, cost
from tests.benchmarks.mnist import data_root
from tests.benchmarks.options import positive
from tests.benchmarks.report import provenance
from trainer.augment import Affine
from trainer.data import Images, Normalisation, normalisation, open_dataset
from trainer.loop import train
from trainer.metrics import floor
from trainer.recipe import Recipe

__all__ = ["ARMS", "Arm", "main", "table"]

FULL = Recipe(
    learning_rate=0.02,
    warmup=0.2,
    averaging=0.998,
    augment=(Affine(degrees=7, translate=0.05, scale=0.05),),
)
SHORT = replace(FULL, epochs=8, averaging=0.98)
_SHORT_IMAGES = 10_000
_JUDGED_EPOCHS = {True: 5, False: 3}

SMALL = """conv3 6 bn relu
maxpool2
separable3 12 bn relu
maxpool2
separable3 14 bn relu
gap
linear 10"""
LARGER = """conv3 8 bn relu
conv3 8 bn relu
maxpool2
conv3 10 bn relu
conv3 10 bn relu
conv3 11 bn relu
gap
linear 10"""
REPEATED = """conv3 6 bn relu
maxpool2
separable3 12 bn relu
separable3 12 pad1 bn relu{}
gap
linear 10"""
DEEP = """conv5 6 bn noscale relu
maxpool2
separable3 12 bn noscale relu
separable3 12 bn noscale relu
separable3 14 bn noscale relu
gap
linear 10"""

_LINE = "bn noscale relu"
_OTHER_FORMS = {
    "without the classifier's bias": DEEP.replace("linear 10", "linear 10 nobias"),
    "gap head": f"""conv5 6 {_LINE}
maxpool2
separable3 15 {_LINE}
separable3 15 {_LINE}
separable3 10 bn
gap""",
    "wide kernels": f"""conv5 6 {_LINE}
maxpool2
separable5 9 {_LINE}
separable5 9 {_LINE}
separable3 10 {_LINE}
gap
linear 10""",
    "plain": f"""conv3 4 {_LINE}
maxpool2
conv3 6 {_LINE}
conv3 6 {_LINE}
conv3 6 {_LINE}
gap
linear 10""",
}
"""Networks of about as many parameters as the deep one."""

SEPARABLE = """conv3 6 bn noscale hardswish
separable3 16 bn noscale hardswish
separable3 16 bn noscale hardswish
maxpool2
separable3 22 pad1 bn noscale hardswish
separable5 22 bn noscale hardswish
separable3 24 bn noscale hardswish
separable3 22 bn noscale hardswish
gap
linear 10"""

_LIGHT = {"kind": "affine", "degrees": 5, "translate": 0.04, "scale": 0.04}
_TUNED = {"clean_statistics": 4000, "augment": [_LIGHT]}


@dataclass(frozen=True)
class Arm:
    """One setting.

    Attributes:
        network: its lines.
        base: the arm that it is compared with; its own name for a base.
        keys: of the recipe that it changes.
    """

    network: str
    base: str
    keys: Mapping[str, Any] = field(default_factory=dict)


def _of_network(
    name: str, network: str, rate: float, activations: Sequence[tuple[str, str]], batch_size: int
) -> dict[str, Arm]:
    """Return the arms by which each lever is measured on one network, which is tuned but for it."""

    def arm(**keys: object) -> Arm:
        tuned = {**_TUNED, "batch_size": batch_size, "learning_rate": rate}
        return Arm(network, name, {**tuned, **keys})

    cutout = {"kind": "cutout", "size": 6, "fade": 0.2}
    elastic = {"kind": "elastic", "pixels": 1.5, "fade": 0.2}
    other = {64: 128, 128: 64}[batch_size]
    changes = {
        "": arm(),
        "rate / 2": arm(learning_rate=rate / 2),
        "rate x 2": arm(learning_rate=rate * 2),
        "running statistics": arm(clean_statistics=0),
        "tail": arm(tail=0.2),
        "muon": arm(optimizer="muon", learning_rate=rate),
        "muon, rate x 2": arm(optimizer="muon", learning_rate=rate * 2),
        "muon, rate x 4": arm(optimizer="muon", learning_rate=rate * 4),
        "cutout": arm(augment=[_LIGHT, cutout]),
        "elastic": arm(augment=[_LIGHT, elastic]),
        "no augmentation": arm(augment=[]),
        "smoothing": arm(label_smoothing=0.05),
        f"batches of {other}": arm(batch_size=other),
    }
    arms = {f"{name} {change}".strip(): each for change, each in changes.items()}
    scaled = network.replace(" noscale", "")
    if scaled != network:
        arms[f"{name} scale"] = replace(arms[name], network=scaled)
    for present, activation in activations:
        changed = network.replace(present, activation)
        arms[f"{name} {activation}"] = replace(arms[name], network=changed)
    return arms


_TUNED_DEEP = _of_network("1k", DEEP, 0.06, [("relu", "hardswish"), ("relu", "silu")], 64)

ARMS: Mapping[str, Arm] = {
    "base": Arm(SMALL, "base"),
    "tail": Arm(SMALL, "base", {"tail": 0.2}),
    "share": Arm(SMALL, "base", {"averaging": 0.0, "averaging_share": 0.1}),
    "clean": Arm(SMALL, "base", {"clean_statistics": 4000}),
    "all": Arm(
        SMALL,
        "base",
        {"tail": 0.2, "averaging": 0.0, "averaging_share": 0.1, "clean_statistics": 4000},
    ),
    "larger": Arm(LARGER, "larger"),
    "larger clean": Arm(LARGER, "larger", {"clean_statistics": 4000}),
    "no scale": Arm(
        SMALL.replace("bn", "bn noscale").replace("12", "13").replace("14", "15"), "base"
    ),
    "once": Arm(REPEATED.format(""), "once"),
    "again": Arm(REPEATED.format("\nagain"), "once"),
    "again clean": Arm(REPEATED.format("\nagain"), "once", {"clean_statistics": 4000}),
    "again norms": Arm(REPEATED.format("\nagain norms"), "once"),
    **_TUNED_DEEP,
    **{
        f"1k {form}": replace(_TUNED_DEEP["1k"], network=lines)
        for form, lines in _OTHER_FORMS.items()
    },
    **_of_network("3.5k", LARGER, 0.03, [("relu", "hardswish"), ("relu", "silu")], 64),
    **_of_network("4k", SEPARABLE, 0.05, [("hardswish", "relu"), ("hardswish", "silu")], 128),
}
"""Every arm by its name."""


@dataclass(frozen=True)
class _Data:
    training: Images
    validation: Images
    normalisation: Normalisation

    @classmethod
    def read(cls, full: bool, device: torch.device) -> _Data:
        training, validation = open_dataset("mnist", data_root()).search_split()
        scale = normalisation(training)
        if not full:
            order = torch.randperm(len(training), generator=torch.Generator().manual_seed(0))
            training = training.subset(order[:_SHORT_IMAGES])
        return cls(training.to(device), validation.to(device), scale)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    asked = _parse(arguments)
    if asked.what == "table":
        for line in table(_read(asked.out)):
            print(line)
        return
    torch.set_num_threads(1)
    device = choose_device(asked.device)
    data, origin = _Data.read(asked.full, device), {**provenance(), "device": hardware(device)}
    trained = {(row["arm"], row["seed"]) for row in _read(asked.out)}
    for seed in range(1, asked.seeds + 1):
        for name in asked.arms:
            if (name, seed) not in trained:
                row = {**_train(name, seed, data, asked.full), "full": asked.full}
                with asked.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({**row, "origin": origin}) + "\n")


def _train(name: str, seed: int, data: _Data, full: bool) -> dict[str, Any]:
    arm = ARMS[name]
    usual = (FULL if full else SHORT).to_dict()
    recipe = Recipe.from_dict({**usual, **arm.keys, "seed": seed})
    architecture = Architecture.parse(arm.network)
    torch.manual_seed(seed)
    started, began = time.process_time(), time.perf_counter()
    network = build(architecture).to(data.training.pixels.device)
    epochs = train(network, data.training, data.validation, data.normalisation, recipe)
    accuracies = [epoch.accuracy for epoch in epochs]
    judged = _JUDGED_EPOCHS[full]
    return {
        "arm": name,
        "seed": seed,
        "parameters": cost(architecture).parameters,
        "floor": floor(accuracies, judged),
        "mean": fmean(accuracies[-judged:]),
        "last": accuracies[-1],
        "cpu_seconds": round(time.process_time() - started, 2),
        "seconds": round(time.perf_counter() - began, 2),
    }


def table(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines of a Markdown table: each arm, and its differences from its base in pairs.

    Args:
        rows: as ``run`` writes them, all of the same length of training.
    """
    arms: dict[str, dict[int, Mapping[str, Any]]] = {}
    for row in rows:
        arms.setdefault(row["arm"], {})[row["seed"]] = row
    yield "| arm | parameters | n | mean of the last epochs | minus its base | CPU s |"
    yield "|---|---:|---:|---:|---:|---:|"
    for name, of_seed in arms.items():
        base = arms.get(ARMS[name].base, {})
        paired = sorted(of_seed.keys() & base.keys()) if ARMS[name].base != name else []
        gaps = [of_seed[seed]["mean"] - base[seed]["mean"] for seed in paired]
        cells = (
            name,
            f"{next(iter(of_seed.values()))['parameters']:,}",
            str(len(of_seed)),
            _with_spread([row["mean"] for row in of_seed.values()], error=False),
            _with_spread(gaps, error=True),
            f"{fmean(row['cpu_seconds'] for row in of_seed.values()):.1f}",
        )
        yield f"| {' | '.join(cells)} |"


def _with_spread(values: Sequence[float], error: bool) -> str:
    """Return a mean with its standard error and sign, or with the deviation of the values."""
    if not values:
        return ""
    text = f"{100 * fmean(values):{'+' if error else ''}.2f}"
    if len(values) < 2:
        return text
    spread = stdev(values) / (sqrt(len(values)) if error else 1)
    return f"{text} ± {100 * spread:.2f}"


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.levers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=["run", "table"])
    parser.add_argument("out", type=Path, metavar="OUT", help="a file of lines of JSON")
    parser.add_argument("--seeds", type=positive, default=16, metavar="N", help="1 to N")
    parser.add_argument("--full", action="store_true", help="50,000 images and 15 epochs")
    parser.add_argument("--device", default="cpu", metavar="NAME", help="cpu unless told")
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS), metavar="NAME")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()

"""What int8 costs the champions: ``python -m tests.benchmarks.deployed``.

For each exported network: its test accuracy in floats and in int8, the bytes that it takes of a
chip and, where the emulator is installed, the instructions of one inference. Each is one network,
the first seed of its champion. With ``--seeds`` all seeds of the champion are trained again, as
``flyweight confirm`` trained them, and measured both ways.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.table import Table

from search.deployed.accuracy import int8_accuracy
from search.export.c.package import write_c_int8
from search.export.folder import description_of
from search.export.package import read_weights
from search.export.trained_network import Figures, SeedRun, TrainedNetwork
from search.spec.candidate import Candidate
from search.statistics import Spread
from search.workers.data import calibration_images, final_split
from search.workers.stop import StopSignal
from search.workers.training import Training
from space.architecture import Architecture
from space.cost import cost
from space.deployed.cost import deployed_cost
from space.network import build_with
from tests.benchmarks.mnist import require_mnist
from tests.benchmarks.report import RESULTS, provenance, show, write_json
from tests.mcu.arm import COMPILER
from tests.mcu.chip import CHIPS, EMULATOR, run_on
from trainer.data import Dataset, Normalisation, open_dataset
from trainer.metrics import accuracy
from trainer.recipe import Recipe

_CHAMPIONS = Path(__file__).parents[2] / "studies" / "champions"
_CORES = ("cortex-m0", "cortex-m4")
_IMAGES_ON_CHIP = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the networks and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.deployed", description=__doc__.splitlines()[0]
    )
    parser.add_argument("folders", nargs="*", type=Path, help="exported networks, of MNIST")
    parser.add_argument("--seeds", action="store_true", help="train all seeds again and measure")
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args(arguments)
    dataset = open_dataset("mnist", require_mnist())
    folders = given.folders or sorted(path.parent for path in _CHAMPIONS.glob("*/network.py"))
    if given.seeds:
        runs = {folder.name: _all_seeds(folder, dataset) for folder in folders}
        path = given.json or RESULTS / "deployed-seeds.json"
        write_json(path, {"origin": provenance(), "networks": runs})
        show(_table_of_seeds(runs))
        return 0
    rows = {folder.name: dict(_measured(folder, dataset)) for folder in folders}
    write_json(given.json or RESULTS / "deployed.json", {"origin": provenance(), "networks": rows})
    show(_table(rows))
    return 0


def _measured(folder: Path, dataset: Dataset) -> Iterator[tuple[str, float]]:
    trained = _network(folder, dataset)
    architecture, training, test = trained.architecture, dataset.training(), dataset.test()
    network = build_with(architecture, trained.weights)
    price = cost(architecture)
    yield "parameters", price.parameters
    yield "macs", price.macs
    yield "float", accuracy(network, test, trained.normalisation)
    found = int8_accuracy(architecture, trained.weights, trained.normalisation, training, test)
    yield "int8", found or 0.0
    yield "ram", deployed_cost(architecture).ram
    for core in _CORES:
        yield f"flash_{core}", deployed_cost(architecture, core).flash
    if COMPILER is None or EMULATOR is None:
        return
    images = test.pixels[:_IMAGES_ON_CHIP].permute(0, 2, 3, 1).contiguous().numpy()
    for core in _CORES:
        with tempfile.TemporaryDirectory() as out:
            write_c_int8(dataclasses.replace(trained, name="net"), Path(out) / "net")
            yield (
                f"instructions_{core}",
                run_on(CHIPS[core], Path(out) / "net", images).instructions,
            )


def _all_seeds(folder: Path, dataset: Dataset) -> dict[str, list[float]]:
    """Train all seeds of a champion again; return both accuracies after the last epoch."""
    trained = _network(folder, dataset)
    data = final_split(dataset, torch.device("cpu"))
    normalisation = trained.recipe.normalisation(data.normalisation)
    found: dict[str, list[float]] = {"float": [], "int8": []}
    for run in trained.figures.runs:
        recipe = dataclasses.replace(trained.recipe, seed=run.seed)
        training = Training(Candidate(trained.architecture, recipe), data, StopSignal())
        training.run()
        weights = training.network.state_dict()
        found["float"].append(training.epochs[-1].accuracy)
        in_int8 = int8_accuracy(
            trained.architecture, weights, normalisation, data.training, data.evaluation
        )
        found["int8"].append(in_int8 or 0.0)
    return found


def _network(folder: Path, dataset: Dataset) -> TrainedNetwork:
    described: Mapping[str, Any] | None = description_of(folder)
    if described is None:
        raise SystemExit(f"{folder} is not an exported network")
    architecture = Architecture.from_json(described["architecture"])
    kept, figures = described["normalisation"], described["figures"]
    runs = tuple(SeedRun(**run) for run in figures["runs"])
    return TrainedNetwork(
        name=described["name"],
        architecture=architecture,
        weights=read_weights(folder, architecture),
        normalisation=Normalisation(tuple(kept["mean"]), tuple(kept["std"])),
        dataset=described["dataset"],
        class_names=tuple(described["classes"]),
        recipe=Recipe.from_dict(described["recipe"]),
        figures=Figures(
            kind="champion",
            trial=figures["trial"],
            validation_floor=figures["validation_floor"],
            floor_epochs=figures["floor_epochs"],
            epochs=figures["epochs"],
            hardware=figures["hardware"],
            versions=figures["versions"],
            seconds=figures["seconds"],
            runs=runs,
            confirm=figures["confirm"],
        ),
        calibration=lambda: calibration_images(dataset.training()),
    )


def _table_of_seeds(runs: Mapping[str, Mapping[str, Sequence[float]]]) -> Table:
    table = Table(title="MNIST test accuracy after the last epoch, all seeds of each champion")
    for column in ("network", "seeds", "float", "int8", "int8 less float"):
        table.add_column(column, justify="left" if column == "network" else "right")
    for name, run in runs.items():
        both = [Spread.of([100 * each for each in run[kind]]) for kind in ("float", "int8")]
        lost = Spread.of([100 * (b - a) for a, b in zip(run["float"], run["int8"], strict=True)])
        figures = [f"{each.mean:.3f}{each.deviation_text(1.0)}" for each in (*both, lost)]
        table.add_row(name, str(lost.n), *figures)
    return table


def _table(rows: Mapping[str, Mapping[str, float]]) -> Table:
    table = Table(title="MNIST test accuracy, one network each")
    columns = ("network", "parameters", "float", "int8", "RAM", *(f"flash {c}" for c in _CORES))
    for column in (*columns, *(f"instructions {core}" for core in _CORES)):
        table.add_column(column, justify="left" if column == "network" else "right")
    for name, row in rows.items():
        counted = [row[f"flash_{core}"] for core in _CORES]
        counted += [row[key] for core in _CORES if (key := f"instructions_{core}") in row]
        table.add_row(
            name,
            f"{row['parameters']:,.0f}",
            f"{100 * row['float']:.2f}",
            f"{100 * row['int8']:.2f}",
            *(f"{value:,.0f}" for value in (row["ram"], *counted)),
        )
    return table


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main())

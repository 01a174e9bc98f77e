"""Plot held accuracy against parameters: ``python -m tests.benchmarks.frontier``.

It reads the champions' packages and ``public.csv`` in ``studies/champions``, and writes
``frontier.svg`` and ``frontier.md`` there.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CHAMPIONS", "Champion", "PublicNetwork", "champions", "main", "public_networks"]

CHAMPIONS = Path(__file__).resolve().parents[2] / "studies" / "champions"

_DATA = "mnist"
_LOWEST = 98.0
_STYLES = {
    ("seed", True): ("tab:orange", "the five hand-made ladders, lowest of the last 5 epochs"),
    ("public", True): ("tab:gray", "other public networks, lowest of their last epochs"),
    ("public", False): ("tab:gray", "other public networks, last or best epoch"),
}


@dataclass(frozen=True)
class Champion:
    """A network that flyweight found, as its package says.

    Attributes:
        name: of its package.
        parameters: trainable ones of the trained network.
        floor: mean test floor over the seeds, 0 to 1.
        deviation: of the floors, of a sample.
        seeds: how many of them.
        epochs: of a training.
    """

    name: str
    parameters: int
    floor: float
    deviation: float
    seeds: int
    epochs: int


@dataclass(frozen=True)
class PublicNetwork:
    """A network of others. Accuracies are in per cent, None where its source has none.

    Attributes:
        kind: ``seed`` for a step of the five ladders, else ``public``.
        source: repository or report.
        network: which one of it; may be empty.
        parameters: as the source counts them.
        held: the lowest of the last epochs.
        last: after the last epoch.
        best: of all epochs.
        epochs: of its training, in words.
    """

    kind: str
    source: str
    network: str
    parameters: int
    held: float | None
    last: float | None
    best: float | None
    epochs: str

    @property
    def shown(self) -> float:
        """Return the most honest accuracy that there is."""
        return next(each for each in (self.held, self.last, self.best) if each)


def champions(folder: Path, dataset: str = _DATA) -> list[Champion]:
    """Read the champions in a folder of packages, the smallest first.

    Args:
        folder: which has a folder for each package.
        dataset: of the champions to read.
    """
    found = []
    for path in folder.glob("*/architecture.json"):
        value = json.loads(path.read_text(encoding="utf-8"))
        if value["dataset"] != dataset:
            continue
        figures, floor = value["figures"], value["figures"]["test_floor"]
        found.append(
            Champion(
                name=path.parent.name,
                parameters=value["cost"]["parameters"],
                floor=floor["mean"],
                deviation=floor["deviation"],
                seeds=floor["n"],
                epochs=figures["epochs"],
            )
        )
    return sorted(found, key=lambda champion: champion.parameters)


def public_networks(folder: Path) -> list[PublicNetwork]:
    """Read the networks of others from ``public.csv``."""
    with (folder / "public.csv").open(encoding="utf-8", newline="") as file:
        return [
            PublicNetwork(
                kind=row["kind"],
                source=row["source"],
                network=row["network"],
                parameters=int(row["parameters"]),
                held=float(row["held"]) if row["held"] else None,
                last=float(row["last"]) if row["last"] else None,
                best=float(row["best"]) if row["best"] else None,
                epochs=row["epochs"],
            )
            for row in csv.DictReader(file)
        ]


def main(folder: Path = CHAMPIONS) -> None:
    """Write plot and table into the folder that holds the packages."""
    found, others = champions(folder), public_networks(folder)
    _plot(found, others, folder / "frontier.svg")
    text = "\n".join(_markdown(found, others)) + "\n"
    (folder / "frontier.md").write_text(text, encoding="utf-8")


def _plot(found: Sequence[Champion], others: Sequence[PublicNetwork], path: Path) -> None:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    # The same figures give the same file, and a page without fonts shows the same letters.
    with rc_context({"svg.hashsalt": path.stem}):
        figure = Figure(figsize=(8, 5), layout="constrained")
        axes = figure.add_subplot()
        for (kind, held), (colour, label) in _STYLES.items():
            rows = [each for each in others if each.kind == kind and bool(each.held) == held]
            axes.scatter(
                [each.parameters for each in rows],
                [each.shown for each in rows],
                s=26,
                color=colour if held else "none",
                edgecolors=colour,
                label=label,
            )
        axes.errorbar(
            [each.parameters for each in found],
            [100 * each.floor for each in found],
            yerr=[100 * each.deviation for each in found],
            color="tab:blue",
            marker="o",
            capsize=3,
            label="flyweight: mean over 5 seeds, lowest of the last 5 of 15 epochs",
        )
        axes.set_xscale("log")
        axes.set_ylim(bottom=_LOWEST)
        ticks = [500, 1_000, 2_000, 5_000, 10_000, 20_000]
        axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
        axes.minorticks_off()
        axes.set_xlabel("parameters")
        axes.set_ylabel("MNIST test accuracy, %")
        axes.grid(alpha=0.3)
        axes.legend(loc="lower right", fontsize="small")
        figure.savefig(path, metadata={"Date": None})


def _markdown(found: Sequence[Champion], others: Sequence[PublicNetwork]) -> Iterator[str]:
    yield "# Held accuracy against parameters"
    yield ""
    yield "Made by `python -m tests.benchmarks.frontier`."
    yield ""
    yield (
        "MNIST test accuracy in per cent. *Held* is the lowest of the last five epochs, for "
        "flyweight's champions the mean over seeds ± their standard deviation. Nearly all figures "
        "of others are of one seed, and their best epoch was chosen on the test set."
    )
    yield ""
    yield "| network | parameters | held | last | best | epochs |"
    yield "|---|---:|---:|---:|---:|---:|"
    lines = [
        (
            each.parameters,
            f"| **[{each.name}]({each.name})** | {each.parameters:,} | "
            f"**{100 * each.floor:.2f} ± {100 * each.deviation:.2f}** (n = {each.seeds}) | | | "
            f"{each.epochs} |",
        )
        for each in found
    ]
    for other in others:
        accuracies = (
            f"{each:.2f}" if each else "" for each in (other.held, other.last, other.best)
        )
        name = f"{other.source}, {other.network}" if other.network else other.source
        cells = (name, f"{other.parameters:,}", *accuracies, other.epochs)
        lines.append((other.parameters, f"| {' | '.join(cells)} |"))
    for _, line in sorted(lines, key=lambda each: each[0]):
        yield line


if __name__ == "__main__":
    main()

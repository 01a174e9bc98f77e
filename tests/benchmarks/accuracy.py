"""Whether both sides learn equally well: ``python -m tests.benchmarks.accuracy``.

Trains the same network with the same recipe from several seeds on either side, one thread each,
as many at a time as there are cores. A run's accuracy is the mean test accuracy of its last five
epochs. Every run is kept in the JSON file as soon as it ends; one that is there is not repeated.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, get_args

from rich.table import Table

from tests.benchmarks.launch import run_together
from tests.benchmarks.mnist import require_mnist
from tests.benchmarks.nets import NETS
from tests.benchmarks.options import add_batches, add_json, positive, run_command
from tests.benchmarks.report import RESULTS, cores, provenance, show, write_json
from tests.benchmarks.task import SIDE_NAMES, Job, Measurement, Side

_LAST_EPOCHS = 5


@dataclass(frozen=True)
class Run:
    """One finished training run.

    Attributes:
        job: what was trained.
        measurement: its figures.
        origin: machine, versions, commit and date.
    """

    job: Job
    measurement: Measurement
    origin: dict[str, Any]

    @property
    def accuracy(self) -> float:
        """Mean test accuracy of the last epochs, in percent."""
        last = self.measurement.epochs[-_LAST_EPOCHS:]
        return 100 * fmean(epoch.test_accuracy for epoch in last)


def read_runs(path: Path) -> list[Run]:
    """Returns the runs that a file holds; none where there is no file."""
    if not path.exists():
        return []
    return [
        Run(Job(**run["job"]), Measurement.from_json(run["measurement"]), run["origin"])
        for run in json.loads(path.read_text(encoding="utf-8"))["runs"]
    ]


def write_runs(path: Path, runs: Sequence[Run]) -> None:
    """Writes all runs."""
    rows = [{**asdict(run), "accuracy": run.accuracy} for run in runs]
    write_json(path, {"runs": rows})


def train_all(jobs: Sequence[Job], data: Path, processes: int) -> Iterator[Run]:
    """Trains some at a time and yields each run as it ends."""
    executor = ThreadPoolExecutor(processes)
    try:
        origin = provenance()
        jobs_of = {executor.submit(run_together, [job], data): job for job in jobs}
        for future in as_completed(jobs_of):
            yield Run(jobs_of[future], future.result()[0], origin)
    finally:
        executor.shutdown(cancel_futures=True)


def table(runs: Sequence[Run]) -> Table:
    """Returns each side's accuracies, by seed."""
    made = Table(title=f"Test accuracy in percent, mean of the last {_LAST_EPOCHS} epochs")
    for heading in ("side", "seeds", "mean", "deviation"):
        made.add_column(heading, justify="left" if heading == "side" else "right")
    made.add_column("by seed")
    for side in _sides(runs):
        found = sorted((run.job.seed, run.accuracy) for run in runs if run.job.side == side)
        values = [accuracy for _, accuracy in found]
        deviation = f"{stdev(values):.3f}" if len(values) > 1 else ""
        by_seed = "  ".join(f"{value:.3f}" for value in values)
        made.add_row(SIDE_NAMES[side], str(len(values)), f"{fmean(values):.3f}", deviation, by_seed)
    return made


def difference(runs: Sequence[Run]) -> str:
    """Returns what flyweight has more than the seed-style loop, with its standard error."""
    ours, seed = (
        [run.accuracy for run in runs if run.job.side == side] for side in ("ours", "seed")
    )
    if not ours or not seed:
        return "one side only: no difference to show"
    text = f"flyweight less seed-style loop: {fmean(ours) - fmean(seed):+.3f} points"
    if min(len(ours), len(seed)) > 1:
        error = sum(stdev(values) ** 2 / len(values) for values in (ours, seed)) ** 0.5
        text += f", standard error {error:.3f}"
    return text


def _sides(runs: Sequence[Run]) -> list[Side]:
    present = {run.job.side for run in runs}
    return [side for side in SIDE_NAMES if side in present]


def _jobs(given: argparse.Namespace) -> list[Job]:
    sides: tuple[Side, ...] = get_args(Side) if given.side == "both" else (given.side,)
    return [
        Job(side, given.net, 1, given.epochs, batches=given.batches, seed=seed)
        for seed in range(given.seeds)
        for side in sides
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.accuracy", description="Compare what both sides learn."
    )
    parser.add_argument("--net", choices=NETS, default="seed002")
    parser.add_argument("--side", choices=[*get_args(Side), "both"], default="both")
    parser.add_argument("--seeds", type=positive, metavar="N", default=5)
    parser.add_argument("--epochs", type=positive, metavar="N", default=15)
    parser.add_argument("--processes", type=positive, metavar="N", default=cores())
    add_batches(parser)
    add_json(parser, RESULTS / "accuracy.json")
    return parser.parse_args()


def main() -> None:
    """Trains what the JSON file lacks, and prints the table of what was asked for."""
    given = _arguments()
    data = require_mnist()
    wanted = _jobs(given)
    runs = read_runs(given.json)
    done = {run.job for run in runs}
    missing = [job for job in wanted if job not in done]
    for run in train_all(missing, data, given.processes):
        runs.append(run)
        write_runs(given.json, runs)
        print(
            f"{SIDE_NAMES[run.job.side]}, seed {run.job.seed}: {run.accuracy:.3f} %",
            file=sys.stderr,
            flush=True,
        )
    asked = [run for run in runs if run.job in wanted]
    show(table(asked), difference(asked), f"raw figures in {given.json}")


if __name__ == "__main__":
    run_command(main)

"""What a card does for a search: ``python -m tests.gpu.study``.

First the accuracy of the card's trainings beside the CPU's, from the same seeds; then a study of
1,000 trials through ``flyweight run``, which goes on from command to command: its database lies
beside the JSON file.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any

import torch

from search.errors import StorageError
from search.study.records import Outcome, TrialRecord
from search.study.study import open_study
from search.workers.devices import choose_device
from search.workers.worker_count import cores, workers_for
from tests.benchmarks.accuracy import Run
from tests.benchmarks.launch import run_together
from tests.benchmarks.mnist import require_mnist
from tests.benchmarks.options import add_batches, positive
from tests.benchmarks.task import Job
from tests.gpu.command import Situation, add_options, run_parts, use_carried_data
from tests.gpu.parts import Failed, OutOfTime, Part, Result, Skip, Turn
from tests.gpu.places import ROOT, code_commit

__all__ = ["Accuracy", "Search", "difference", "main", "make_parser"]

_NET = "seed002"
_SHARE_OF_ACCURACY = 0.5
_STOP_SECONDS = 20.0
"""What a run takes to end after its timeout, at most."""


class Accuracy:
    """Trainings from some seeds on a device and on the CPU.

    Args:
        device: beside the CPU.
        seeds: how many.
        epochs: of each training.
        batches: of either part of the data; None for all.
    """

    def __init__(self, device: torch.device, seeds: int, epochs: int, batches: int | None) -> None:
        self._device = device
        self._cpu, self._card = (
            [Job("ours", _NET, 1, epochs, 0, batches, seed, name) for seed in range(seeds)]
            for name in ("cpu", str(device))
        )

    def take(self, turn: Turn) -> Iterator[Result]:
        """Train what is missing, as many at a time as there are cores; the card's come first."""
        if self._device.type == "cpu":
            raise Skip("the CPU is what others are compared with")
        runs: list[dict[str, Any]] = list(turn.earlier.get("runs", ()))
        ended = [run["job"] for run in runs]
        together = cores()
        for jobs in (self._card, self._cpu):
            missing = [job for job in jobs if asdict(job) not in ended]
            took = 0.0
            for first in range(0, len(missing), together):
                if turn.left() < took:
                    raise OutOfTime
                started = time.perf_counter()
                some = missing[first : first + together]
                for job, measurement in zip(some, run_together(some, require_mnist()), strict=True):
                    accuracy = Run(job, measurement, {}).accuracy
                    runs.append({"job": asdict(job), "accuracy": accuracy, **asdict(measurement)})
                took = time.perf_counter() - started
                yield self._result(runs)

    def _result(self, runs: list[dict[str, Any]]) -> Result:
        card, cpu = (
            [run for run in runs if run["job"]["device"] == name]
            for name in (str(self._device), "cpu")
        )
        between = difference(_accuracies(card), _accuracies(cpu))
        return {"card": _summary(card), "cpu": _summary(cpu), **between, "runs": runs}


def difference(card: Sequence[float], cpu: Sequence[float]) -> dict[str, float]:
    """Return what the card's accuracies have more than the CPU's, with its standard error.

    Args:
        card: accuracies in percent, one for each seed.
        cpu: likewise.

    Returns:
        Points of percent; nothing while either side has fewer than two.
    """
    if min(len(card), len(cpu)) < 2:
        return {}
    error = sum(stdev(values) ** 2 / len(values) for values in (card, cpu)) ** 0.5
    return {"difference": fmean(card) - fmean(cpu), "standard_error": error}


def _accuracies(runs: Sequence[dict[str, Any]]) -> list[float]:
    return [run["accuracy"] for run in runs]


def _summary(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    accuracies = _accuracies(runs)
    summary: dict[str, Any] = {"seeds": len(runs), "backends": sorted({r["path"] for r in runs})}
    if accuracies:
        summary["mean"] = fmean(accuracies)
    if len(accuracies) > 1:
        summary["deviation"] = stdev(accuracies)
    return summary


class Search:
    """A study through ``flyweight run``.

    Args:
        device: as the command takes it; None for the best, on all cards of the machine.
        file: the study file.
        trials: trained trials in total.
        workers: None for as many as suit the device.
        database: where the study is kept.
    """

    def __init__(
        self,
        device: str | None,
        file: Path,
        trials: int,
        workers: int | None,
        database: Path,
    ) -> None:
        self._device = device
        self._file = file
        self._trials = trials
        self._workers = workers or workers_for(choose_device(device), trials)
        self._database = database
        self._artifacts = database.with_suffix("")

    def take(self, turn: Turn) -> Iterator[Result]:
        """Run the study until its end or that of the time."""
        sessions: list[dict[str, float]] = list(turn.earlier.get("sessions", ()))
        if not turn.earlier:
            self._database.unlink(missing_ok=True)
            shutil.rmtree(self._artifacts, ignore_errors=True)
        before = len(self._trained())
        while before < self._trials:
            timeout = turn.left() - _STOP_SECONDS
            if timeout <= 0:
                raise OutOfTime
            seconds = self._run(timeout)
            trained = len(self._trained())
            sessions.append({"seconds": seconds, "trials": trained - before})
            before = trained
            yield self._result(sessions)

    def _run(self, timeout: float) -> float:
        """Run for some seconds, and return how many it took.

        Raises:
            Failed: if the command does.
        """
        self._database.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "flyweight", "run", str(self._file)]
        command += ["--trials", str(self._trials), "--workers", str(self._workers)]
        command += ["--timeout", str(timeout), "--storage", self._url]
        command += ["--artifacts", str(self._artifacts), "--data", str(require_mnist())]
        command += ["--device", self._device] if self._device else []
        started = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=False)
        if done.returncode:
            raise Failed(f"flyweight run ended with {done.returncode}; its message is above")
        return time.perf_counter() - started

    @property
    def _url(self) -> str:
        return f"sqlite:///{self._database.absolute()}"

    def _trained(self) -> list[TrialRecord]:
        return [record for record in self._records() if record.trained]

    def _records(self) -> list[TrialRecord]:
        if not self._database.exists():
            return []
        try:
            stored = open_study(self._file, self._url, writing=False)
        except StorageError:
            return []
        try:
            return stored.records()
        finally:
            stored.storage.engine.dispose()

    def _result(self, sessions: list[dict[str, float]]) -> Result:
        records = self._records()
        trained = [record for record in records if record.trained]
        complete = [record for record in trained if record.outcome is Outcome.COMPLETE]
        seconds = sum(session["seconds"] for session in sessions)
        counted = sum(session["trials"] for session in sessions)
        return {
            "trials": len(trained),
            "trials_an_hour": 3600 * counted / seconds,
            "workers": self._workers,
            "outcomes": Counter(str(record.outcome) for record in records if record.outcome),
            "reasons": Counter(
                record.reason
                for record in trained
                if record.reason and record.outcome is not Outcome.PRUNED
            ),
            "backends": Counter(record.epochs[0].backend for record in trained if record.epochs),
            "precisions": Counter(
                record.epochs[0].precision for record in trained if record.epochs
            ),
            "epochs": sum(len(record.epochs) for record in trained),
            "median_seconds": median(record.seconds for record in trained) if trained else None,
            "median_seconds_complete": (
                median(record.seconds for record in complete) if complete else None
            ),
            "median_first_epoch_seconds": _median_epoch(trained, first=True),
            "median_epoch_seconds": _median_epoch(trained, first=False),
            "best": max((record.score or 0.0 for record in complete), default=None),
            "sessions": sessions,
        }


def _median_epoch(records: Sequence[TrialRecord], *, first: bool) -> float | None:
    seconds = [
        epoch.seconds
        for record in records
        for epoch in (record.epochs[:1] if first else record.epochs[1:])
    ]
    return median(seconds) if seconds else None


def _parts(situation: Situation) -> list[Part]:
    given = situation.given
    accuracy = Accuracy(situation.device, given.seeds, given.epochs, given.batches)
    # Another commit's study is another study.
    database = situation.path.with_name(f"{situation.path.stem}-{code_commit()}.db")
    search = Search(given.device, given.study, given.trials, given.workers, database)
    return [
        Part(
            "accuracy",
            f"test accuracy of {_NET} from {given.seeds} seeds beside the CPU's",
            accuracy.take,
            share=_SHARE_OF_ACCURACY,
        ),
        Part("search", f"{given.trials} pruned trials through flyweight run", search.take),
    ]


def make_parser() -> argparse.ArgumentParser:
    """Return the reader of the command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.gpu.study", description="Measure what a card does for a search."
    )
    add_options(parser)
    add_batches(parser)
    parser.add_argument("--seeds", type=positive, metavar="N", default=5)
    parser.add_argument("--epochs", type=positive, metavar="N", default=15)
    parser.add_argument("--trials", type=positive, metavar="N", default=1000)
    parser.add_argument("--workers", type=positive, metavar="N")
    parser.add_argument(
        "--study", type=Path, metavar="FILE", default=ROOT / "tests" / "gpu" / "mnist-8k.toml"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Take what the file lacks; return the exit code."""
    given = make_parser().parse_args(arguments)
    use_carried_data()
    names = ("batches", "seeds", "epochs", "trials", "workers")
    settings = {name: getattr(given, name) for name in names}
    return run_parts("study", given, _parts, {**settings, "study": given.study.name})


if __name__ == "__main__":
    sys.exit(main())

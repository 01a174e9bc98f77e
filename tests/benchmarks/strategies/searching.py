"""Does the runs of a comparison, each a study of its own in a database of its own."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from search.run.trials import search
from search.storage.database import quiet_optuna
from search.study.records import TrialRecord, best_of
from search.study.recovery import recover
from search.study.study import StoredStudy, begin_study, trial_claims
from search.text import percent
from search.workers.context import WorkerContext
from search.workers.data import open_data
from search.workers.stop import StopSignal
from tests.benchmarks.report import cores, provenance, write_json
from tests.benchmarks.strategies.protocol import Protocol, Run
from tests.benchmarks.strategies.recommending import Recommendation, recommendations

__all__ = [
    "Work",
    "held",
    "is_finished",
    "recommended_by",
    "search_all",
    "summary_of",
    "trained_records",
]


@dataclass(frozen=True)
class Work:
    """Where and with what this process works.

    Attributes:
        protocol: of the comparison.
        folder: of the comparison, which holds the images; all results go there.
    """

    protocol: Protocol
    folder: Path

    def context(self) -> WorkerContext:
        """Return what flyweight's worker in this process knows: it has one core."""
        return WorkerContext(0, cores(), "cpu", self.folder)


def search_all(work: Work, runs: Iterable[Run], stop: StopSignal) -> Iterator[str]:
    """Do the runs that are neither finished nor in the hands of another process.

    Args:
        work: where and with what.
        runs: in the order in which to do them; their pilots come first.
        stop: ends the run that is going on; what it trained is kept.

    Yields:
        A line for each run that ends.
    """
    quiet_optuna()
    runs = list(runs)
    pilots = dict.fromkeys(pilot for run in runs if (pilot := run.pilot))
    for run in [*pilots, *runs]:
        if run.pilot is not None:
            _wait_for(work.folder, run.pilot, stop)
        if stop:
            return
        with held(_database(work.folder, run)) as mine:
            if mine and not is_finished(work.folder, run) and (line := _search(work, run, stop)):
                yield line


def is_finished(folder: Path, run: Run) -> bool:
    """Return whether a run has all its trainings."""
    return _summary(folder, run).exists()


def summary_of(folder: Path, run: Run) -> dict[str, Any]:
    """Return what is kept of a finished run beside its database."""
    found: dict[str, Any] = json.loads(_summary(folder, run).read_text(encoding="utf-8"))
    return found


def recommended_by(folder: Path, run: Run) -> list[Recommendation]:
    """Return what a finished run recommended after each number of trainings."""
    return [Recommendation(**each) for each in summary_of(folder, run)["recommended"]]


def trained_records(stored: StoredStudy) -> list[TrialRecord]:
    """Return a run's trained trials, in the order in which they were trained."""
    return [record for record in stored.records() if record.trained]


@contextmanager
def held(path: Path) -> Iterator[bool]:
    """Hold a piece of work, which is named by its file; gives False where another process does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_suffix(".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _wait_for(folder: Path, pilot: Run, stop: StopSignal) -> None:
    """Wait until a pilot is finished, which another process may have in its hands."""
    while not stop and not is_finished(folder, pilot):
        time.sleep(1.0)


def _trials(work: Work, run: Run) -> int:
    """Return how many trials of a run take as many whole trainings as the protocol has."""
    whole = work.protocol.trainings
    if run.pilot is None:
        return whole
    return round(whole * whole / float(summary_of(work.folder, run.pilot)["trainings"]))


def _search(work: Work, run: Run, stop: StopSignal) -> str:
    """Begin a run or go on with it; return the line on its end, empty where it was stopped."""
    began, used, origin = time.perf_counter(), time.process_time(), provenance()
    trials = _trials(work, run)
    file = run.study_file(work.protocol, work.folder, trials)
    info = open_data(file, work.folder).info
    stored = begin_study(file, _url(work.folder, run), None, info)
    try:
        recover(stored.study, stored.storage, trial_claims(stored))
        search(stored, work.context(), trials, stop)
        if stop:
            return ""
        records, trained = stored.records(), trained_records(stored)
        chosen = recommendations(stored, trained, work.protocol.times)
    finally:
        stored.storage.engine.dispose()
    best = best_of(records)
    study = file.to_dict()
    study["study"]["dataset"] = f"npz:{work.protocol.images}"  # not the folder of this machine
    summary = {
        "run": str(run),
        "study": study,
        "fingerprint": info.fingerprint,
        "trained": len(trained),
        "trainings": round(_trainings(stored, trained), 1),
        "rejected": len(records) - len(trained),
        "training_seconds": round(sum(record.seconds for record in records), 1),
        # Of the last part of a run that was stopped and went on.
        "seconds": round(time.perf_counter() - began, 1),
        "processor_seconds": round(time.process_time() - used, 1),
        "origin": origin,
        "recommended": [asdict(each) for each in chosen],
    }
    write_json(_summary(work.folder, run), summary)
    return (
        f"{run}: {len(trained)} trained, {len(records) - len(trained)} rejected, "
        f"best {'none' if best is None else percent(best.score)}, {summary['seconds']:.0f} s"
    )


def _trainings(stored: StoredStudy, trained: Iterable[TrialRecord]) -> float:
    """Return how many whole trainings have as many epochs as these trials."""
    return sum(len(record.epochs) for record in trained) / stored.file.recipe_space().epochs


def _database(folder: Path, run: Run) -> Path:
    return folder / "runs" / f"{run}.db"


def _summary(folder: Path, run: Run) -> Path:
    return _database(folder, run).with_suffix(".json")


def _url(folder: Path, run: Run) -> str:
    return f"sqlite:///{_database(folder, run).resolve()}"

"""``flyweight run``: begin or resume a study and search until it has its trained trials."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from search.errors import Interrupted
from search.run.progress import Progress
from search.run.trials import trial_claims
from search.spec.study_file import StudyFile
from search.storage.database import DEFAULT_STORAGE, quiet_optuna
from search.study.records import TrialRecord, best_of
from search.study.recovery import recover
from search.study.study import StoredStudy, begin_study, open_study, refuse_changes
from search.workers.announce import announce
from search.workers.data import data_root, open_data, workers_for
from search.workers.devices import choose_device
from search.workers.pool import WorkerPool

__all__ = ["RunResult", "run"]

_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class RunResult:
    """Where a study stands after a run.

    Attributes:
        name: of the study.
        trained: trials that completed or were stopped while training, over all runs.
        total: trained trials that were asked for.
        rejected: candidates over the budget.
        best: the best trial, None where none completed.
        target: the accuracy that the study file names, 0 to 1.
        seconds: wall time of this run.
    """

    name: str
    trained: int
    total: int
    rejected: int
    best: TrialRecord | None
    target: float | None
    seconds: float


def run(
    study: Path,
    *,
    trials: int | None = None,
    timeout: float | None = None,
    workers: int | None = None,
    storage: str = DEFAULT_STORAGE,
    artifacts: Path | None = None,
    data: Path | None = None,
    device: str | None = None,
    console: Console | None = None,
    debug: bool = False,
) -> RunResult:
    """Searches until the study has its trained trials, or the time is over.

    Running it again resumes: what dead workers left behind is queued again first, and ``trials``
    is a total over all runs.

    Args:
        study: path of the study file.
        trials: trained trials in total; by default the file's.
        timeout: seconds after which the search ends.
        workers: processes on this machine; by default as many as suit it.
        storage: URL of the study database.
        artifacts: folder of the weights, for a new study; by default beside the database.
        data: root of the data sets; by default ``$FLYWEIGHT_DATA`` or ``data/``.
        device: cpu, cuda, cuda:N or mps; by default the best there is.
        console: where to show progress; by default standard output.
        debug: whether failing workers show tracebacks.

    Raises:
        InputError: if the file, the data, the storage or the device cannot be used.
        WorkFailed: if a worker fails, or nothing fits the budget for too long.
        Interrupted: on Ctrl-C, after the trials in flight went back into the queue.
    """
    quiet_optuna()
    console = console or Console()
    file = StudyFile.load(study)
    chosen = choose_device(device)
    stored = _begin(file, storage, artifacts, data_root(data))
    total = trials or file.settings.trials
    claims = trial_claims(stored)

    def clean_up() -> None:
        recover(stored.study, stored.storage, claims)

    clean_up()
    command = ["search.worker", "--storage", storage, "--study", stored.name]
    command += ["--trials", str(total), "--data", str(data_root(data))]
    command += ["--device", device] if device else []
    started = time.monotonic()
    watched = open_study(stored.name, storage, writing=False)
    try:
        if (left := total - claims.done()) > 0:
            workers = workers or workers_for(chosen, left)
            announce(f"{stored.name}, {left} of {total} trials to train", chosen, workers, console)
            pool = WorkerPool(command, workers, clean_up, debug=debug)
            _watch(watched, pool, total, timeout, console)
    except KeyboardInterrupt:
        raise Interrupted(
            "stopped; trials in flight are queued again; the same command goes on"
        ) from None
    finally:
        clean_up()
    return _result(stored, total, time.monotonic() - started)


def _begin(file: StudyFile, storage: str, artifacts: Path | None, root: Path) -> StoredStudy:
    refuse_changes(file, storage)
    info = open_data(file, root).info
    file.check_fits(file.search_space(info.input_shape, len(info.classes)))
    return begin_study(file, storage, artifacts, info)


def _watch(
    stored: StoredStudy, pool: WorkerPool, total: int, timeout: float | None, console: Console
) -> None:
    deadline = None if timeout is None else time.monotonic() + timeout
    with Progress(console, total, stored.records()) as progress:
        try:
            with pool:
                while pool.is_working() and (deadline is None or time.monotonic() < deadline):
                    progress.show(stored.records())
                    time.sleep(_POLL_SECONDS)
        finally:
            progress.show(stored.records())


def _result(stored: StoredStudy, total: int, seconds: float) -> RunResult:
    records = stored.records()
    return RunResult(
        name=stored.name,
        trained=sum(record.trained for record in records),
        total=total,
        rejected=sum(record.outcome == "rejected" for record in records),
        best=best_of(records),
        target=stored.file.settings.target,
        seconds=seconds,
    )

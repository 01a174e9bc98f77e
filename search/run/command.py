"""``flyweight run``: begin or resume a study and search until it has its trained trials."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Unpack

from search.data.arrays import keep_arrays
from search.data.text import found_lines, usable
from search.errors import StudyFileError
from search.run.progress import Progress
from search.spec.notes import notes
from search.spec.study_file import StudyFile
from search.storage.database import quiet_optuna
from search.strategies.problem import Problem
from search.study.candidates import Leader, leader_of
from search.study.in_use import using
from search.study.problem import holds_none, most_trials, problem_of
from search.study.records import TrialRecord, best_of
from search.study.recovery import recover
from search.study.rejected import count_rejections
from search.study.sessions import add_session
from search.study.study import (
    StoredStudy,
    begin_study,
    open_study,
    refuse_changes,
    trial_claims,
)
from search.text import plural
from search.workers.data import inspect_data, show_reading
from search.workers.launcher import Launcher, explain_interruption
from search.workers.options import RunOptions, check_counts
from space.errors import Problem as StudyProblem
from space.search_space import SearchSpace
from trainer.data import DataInfo, Reading
from trainer.errors import DataError

__all__ = ["RunResult", "run"]


@dataclass(frozen=True, repr=False)
class RunResult:
    """The state of a study after a run.

    Attributes:
        name: of the study.
        trained: trials that completed or were stopped while training, over all runs.
        total: trained trials that were asked for, or as many as a small space has.
        rejected: candidates over the budget.
        new: trials that this run trained.
        trials_an_hour: what that is an hour, start-up included; None where it trained none.
        rejections: the limits that rejected candidates broke, in words, with shares.
        advice: what would help where nearly all candidates are rejected; else empty.
        best: the best trial, None where none completed.
        leader: the candidate with the highest expected score, which ``confirm`` takes first; None
            where no trial completed, and for a study that began without a score.
        target: the accuracy that the study file names, 0 to 1.
        seconds: wall time of this run.
        asked: what the study asks for, in words; empty for the most accurate network.
        best_within: the best trial of each limit on parameters, where there are several; None where
            none that fits has completed.
        latency: how long the best network takes on the board of the study, in words; empty where
            there is no board.
    """

    name: str
    trained: int
    total: int
    rejected: int
    new: int
    trials_an_hour: float | None
    rejections: str
    advice: str
    best: TrialRecord | None
    leader: Leader | None
    target: float | None
    seconds: float
    asked: str = ""
    best_within: Mapping[int, TrialRecord | None] = field(default_factory=dict)
    latency: str = ""

    def __repr__(self) -> str:
        counts = f"{self.name}: {self.trained} of {self.total} trials trained"
        best = "no trial has completed" if self.best is None else f"best: {self.best!r}"
        return f"{counts}, {self.rejected} candidates rejected\n{best}"


def run(
    study: str | Path,
    *,
    trials: int | None = None,
    timeout: float | None = None,
    artifacts: str | Path | None = None,
    **options: Unpack[RunOptions],
) -> RunResult:
    """Search until the study has its trained trials, or the timeout ends.

    Running it again resumes the study: trials of dead workers are queued again first, and
    ``trials`` is a total over all runs.

    Args:
        study: path of the study file.
        trials: trained trials in total; by default the file's.
        timeout: seconds after which the search ends.
        artifacts: folder of the weights, for a new study; by default beside the database.
        **options: where and with what to work, see :class:`search.workers.options.RunOptions`.

    Raises:
        InputError: if the file, the data, the storage or the device cannot be used.
        WorkFailed: if a worker fails, or nothing fits the budget for too long.
        Interrupted: on Ctrl-C, after the trials in flight went back into the queue.
    """
    quiet_optuna()
    check_counts(trials=trials)
    started = time.monotonic()
    file = StudyFile.load(study)
    written: Path | None = None
    if isinstance(arrays := options.get("data"), tuple):
        written = keep_arrays(file, arrays)
        options["data"] = None
    launcher = Launcher(options)
    total = trials or file.settings.trials
    place = None if artifacts is None else Path(artifacts)
    with _begun(file, launcher, place, written) as stored:
        before = sum(record.trained for record in stored.records())
        problem = problem_of(stored, total)
        if problem.candidates is not None:
            launcher.tell(_counted_text(len(problem.candidates), problem))
        with explain_interruption("trials in flight are queued again"):
            total = _search_all(stored, problem, launcher, timeout)
        return _result(stored, total, before, time.monotonic() - started)


@contextmanager
def _begun(
    file: StudyFile, launcher: Launcher, artifacts: Path | None, written: Path | None
) -> Iterator[StoredStudy]:
    """Begin or resume the study of a file, which nobody renames or deletes during the block.

    ``written`` is the file of the arrays that were given; it goes if they cannot be used, so that
    better ones can be given.
    """
    begun = refuse_changes(file, launcher.storage)
    reading = None if begun is None else begun.data.reading
    with ExitStack() as used:
        if begun is not None:
            used.enter_context(_used(open_study(begun.name, launcher.storage, writing=True)))
        try:
            info = _read_data(file, launcher, reading)
        except DataError:
            if written is not None:
                written.unlink(missing_ok=True)
            raise
        space = file.search_space(info.input_shape, len(info.classes))
        file.check_fits(space)
        _refuse_none(file, space)
        stored = begin_study(file, launcher.storage, artifacts, info)
        yield used.enter_context(_used(stored))


@contextmanager
def _used(stored: StoredStudy) -> Iterator[StoredStudy]:
    """Use a study, and close its storage at the end."""
    try:
        with using(stored):
            yield stored
    finally:
        # The last connection that is closed leaves all in the one file, which can then be copied.
        stored.storage.engine.dispose()


def _read_data(file: StudyFile, launcher: Launcher, reading: Reading | None) -> DataInfo:
    with show_reading(launcher.console, file.settings.dataset) as progress:
        found = inspect_data(file, launcher.data, reading, progress, thorough=False)
    for line in found_lines(found.findings):
        launcher.tell(line)
    return usable(found).info


def _search_all(
    stored: StoredStudy, problem: Problem, launcher: Launcher, timeout: float | None
) -> int:
    """Search until all is trained or the timeout ends; return how many trials that is in total."""
    ends = None if timeout is None else time.monotonic() + timeout
    while True:
        total = most_trials(problem, stored.study)
        _search(stored, total, launcher, timeout)
        now = most_trials(problem, stored.study)
        timeout = None if ends is None else ends - time.monotonic()
        is_over = timeout is not None and timeout <= 0
        # Of a counted space, two workers may have trained one candidate where two were left.
        if now == total or is_over or trial_claims(stored).done() < total:
            return now


def _search(stored: StoredStudy, total: int, launcher: Launcher, timeout: float | None) -> None:
    claims = trial_claims(stored)

    def recover_trials() -> None:
        recover(stored.study, stored.storage, claims)

    recover_trials()
    left = total - claims.done()
    if left <= 0:
        return
    add_session(stored.study, total)
    what = f"{stored.name}, {left} of {total} trials to train"
    workers = launcher.announce(what, left)
    space = stored.file.search_space(stored.data.input_shape, len(stored.data.classes))
    file = stored.file
    for note in notes(space, file.budget, file.target, kernels=launcher.uses_kernels):
        launcher.tell(note)
    watched = open_study(stored.name, launcher.storage, writing=False)
    try:
        to_hold = stored.file.settings.to_hold
        with Progress(launcher.console, total, watched.records(), workers, to_hold) as progress:
            launcher.launch(
                ["--study", stored.name, "--trials", str(total)],
                workers,
                recover=recover_trials,
                show=lambda: progress.show(watched.records()),
                timeout=timeout,
            )
    finally:
        watched.storage.engine.dispose()


def _refuse_none(file: StudyFile, space: SearchSpace) -> None:
    """Refuse a space that can be counted and has nothing that fits the budget.

    Raises:
        StudyFileError: no candidate fits.
    """
    if holds_none(file, space):
        problem = StudyProblem(
            "budget",
            "no candidate of this space fits it, of all that were counted; raise it or change the "
            "space",
        )
        raise StudyFileError(file.path, [problem])


def _counted_text(candidates: int, problem: Problem) -> str:
    fit = "that fits the budget" if candidates == 1 else "that fit the budget"
    ends = f"each was trained {'once' if problem.seeds == 1 else f'{problem.seeds} times'}"
    if problem.trials < candidates * problem.seeds:
        ends = f"{plural(problem.trials, 'trial')} {'is' if problem.trials == 1 else 'are'} trained"
    return f"this space has {plural(candidates, 'candidate')} {fit}: the run ends when {ends}"


def _result(stored: StoredStudy, total: int, before: int, seconds: float) -> RunResult:
    records = stored.records()
    trained = sum(record.trained for record in records)
    rejected = count_rejections(stored.study.get_trials(deepcopy=False))
    best = best_of(records, stored.file.settings.to_hold)
    return RunResult(
        name=stored.name,
        trained=trained,
        total=total,
        rejected=rejected.rejected,
        new=trained - before,
        trials_an_hour=(trained - before) * 3600 / seconds if trained > before else None,
        rejections=rejected.reasons(),
        advice=rejected.advice(),
        best=best,
        leader=leader_of(stored),
        target=stored.file.settings.target,
        seconds=seconds,
        asked=stored.file.asked,
        best_within={limit: best_of(records, limit=limit) for limit in stored.file.budget.several},
        latency=stored.latency(best),
    )

"""``flyweight status``: the state of a study, also while it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from search.calibrate.command import calibration_of
from search.errors import StorageError
from search.storage.database import quiet_optuna
from search.storage.urls import DEFAULT_STORAGE, shown_url
from search.study.confirms import Confirm, last_ordinal, load_confirm
from search.study.records import Outcome, TrialRecord, best_of, front_records
from search.study.rejected import count_rejections
from search.study.results import Study
from search.study.sessions import sessions_of, trials_an_hour
from search.study.study import StoredStudy, open_study, study_names
from search.text import percent, plural
from search.text_files import check_place, write_text

__all__ = [
    "ChampionPoint",
    "FrontPoint",
    "LimitPoint",
    "Status",
    "front_of",
    "status",
    "status_of",
    "status_text",
    "write_csv",
]


@dataclass(frozen=True)
class FrontPoint:
    """A complete trial that no other beats in both accuracy and parameters.

    Attributes:
        trial: its number.
        parameters: trainable parameters.
        score: validation floor, 0 to 1.
        on_chip: what it takes of a chip in int8, in words; empty where that is not known.
    """

    trial: int
    parameters: int
    score: float
    on_chip: str = ""


@dataclass(frozen=True)
class LimitPoint:
    """One of several limits on parameters.

    Attributes:
        limit: most parameters.
        trained: trained trials for which this limit held.
        best: the best trial that fits it, None where none completed.
    """

    limit: int
    trained: int
    best: FrontPoint | None


@dataclass(frozen=True)
class ChampionPoint:
    """The champion of one of several limits on parameters.

    Attributes:
        limit: most parameters.
        trial: its number.
        test_floors: one for each seed.
        test_int8: accuracies in int8 after the last epoch, one for each seed; empty where they were
            not measured.
        on_chip: what it takes of a chip in int8, in words; empty where that is not known.
    """

    limit: int
    trial: int
    test_floors: tuple[float, ...]
    test_int8: tuple[float, ...] = ()
    on_chip: str = ""


@dataclass(frozen=True, repr=False)
class Status:
    """The state of a study.

    Attributes:
        name: of the study.
        total: trained trials that the last run was to reach, or that the file asks for.
        trained: trials that completed or were stopped while training.
        running: trials in training, or in training when their worker died.
        queued: trials that wait in the queue.
        outcomes: the number of trials with each outcome.
        asked: what the study asks for, in words; empty for the most accurate network.
        best: trial with the best validation floor, or the smallest one that holds the target where
            that is asked for; None where none completed.
        architecture: of the best trial, as text.
        latency: how long the best network takes on the board of the study, in words; empty where
            there is no board.
        target: the accuracy that the study file names, 0 to 1.
        front: complete trials of which none is beaten in accuracy and parameters at once, the
            smallest first.
        limits: on parameters, where there are several, ascending; else empty.
        trials_an_hour: trained trials an hour of the last run, its start-up included; None before
            the first.
        rejected_by: for each limit that candidates broke, how many did; the most frequent first.
        rejections: the same in words, with shares; empty where none was rejected.
        advice: what would help where nearly all candidates are rejected; else empty.
        confirms: how many confirms were begun.
        test_floors: the champion's, one for each seed of the last confirm; empty before it is
            finished. Of several champions it is that of the largest limit.
        test_int8: the same champion's accuracies in int8 on the test set after the last epoch;
            empty where they were not measured.
        champions: of the last confirm, for each of several limits that has one; else empty.
        difference: by how much the floors of two trials must differ to mean anything, 0 to 1: twice
            the deviation of a difference of two seeds; None before a calibration.
    """

    name: str
    total: int
    trained: int
    running: int
    queued: int
    outcomes: dict[str, int]
    asked: str
    best: FrontPoint | None
    architecture: str | None
    latency: str
    target: float | None
    front: tuple[FrontPoint, ...]
    limits: tuple[LimitPoint, ...]
    trials_an_hour: float | None
    rejected_by: Mapping[str, int]
    rejections: str
    advice: str
    confirms: int
    test_floors: tuple[float, ...]
    test_int8: tuple[float, ...]
    champions: tuple[ChampionPoint, ...]
    difference: float | None

    def __repr__(self) -> str:
        return status_text(self)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


def status(study: str | Path | None = None, *, storage: str = DEFAULT_STORAGE) -> list[Status]:
    """Return the state of one study, or of each study of a storage.

    Args:
        study: path of a study file, or name of a study in the storage; None for all.
        storage: URL of the study database.

    Raises:
        StorageError: the storage or the study does not exist.
    """
    quiet_optuna()
    names = study_names(storage) if study is None else [study]
    if not names:
        raise StorageError(f"{shown_url(storage)} has no study yet; start one with flyweight run")
    return [status_of(open_study(name, storage, writing=False)) for name in names]


def status_of(stored: StoredStudy) -> Status:
    """Return the state of a study that is open."""
    trials = stored.study.get_trials(deepcopy=False)
    records = stored.records()
    sessions = sessions_of(stored.study.user_attrs)
    rejected = count_rejections(trials)
    best = best_of(records, stored.file.settings.to_hold)
    ordinal = last_ordinal(stored)
    confirm = load_confirm(stored, ordinal) if ordinal else None
    finished = confirm if confirm and confirm.finished else None
    calibration = calibration_of(stored)
    return Status(
        name=stored.name,
        total=sessions[-1].trials if sessions else stored.file.settings.trials,
        trained=sum(record.trained for record in records),
        running=sum(trial.state.name == "RUNNING" for trial in trials),
        queued=sum(trial.state.name == "WAITING" for trial in trials),
        outcomes={
            outcome.value: sum(record.outcome is outcome for record in records)
            for outcome in Outcome
        },
        asked=stored.file.asked,
        best=_point(best) if best else None,
        architecture=best.architecture if best else None,
        latency=stored.latency(best),
        target=stored.file.settings.target,
        front=front_of(records),
        limits=tuple(_limit(records, limit) for limit in stored.file.budget.several),
        trials_an_hour=trials_an_hour(records, sessions),
        rejected_by=dict(rejected.limits),
        rejections=rejected.reasons(),
        advice=rejected.advice(),
        confirms=ordinal,
        test_floors=tuple(finished.test_floors) if finished else (),
        test_int8=tuple(finished.test_int8_of(finished.finalists[-1])) if finished else (),
        champions=_champions(finished, records) if finished else (),
        difference=None if calibration is None else calibration.difference,
    )


def _limit(records: Sequence[TrialRecord], limit: int) -> LimitPoint:
    trained = sum(record.trained and record.limit == limit for record in records)
    best = best_of(records, limit=limit)
    return LimitPoint(limit, trained, _point(best) if best else None)


def _champions(confirm: Confirm, records: Sequence[TrialRecord]) -> tuple[ChampionPoint, ...]:
    on_chip = {record.number: record.on_chip for record in records}
    return tuple(
        ChampionPoint(
            limit,
            trial,
            tuple(confirm.test_floors_of(trial)),
            tuple(confirm.test_int8_of(trial)),
            on_chip[trial],
        )
        for limit, trial in confirm.champions.items()
        if limit is not None
    )


def front_of(records: Sequence[TrialRecord]) -> tuple[FrontPoint, ...]:
    """Return the accuracy-versus-parameters front of the complete trials, the smallest first."""
    return tuple(map(_point, front_records(records)))


def write_csv(study: str | Path, path: Path, *, storage: str = DEFAULT_STORAGE) -> None:
    """Write :meth:`search.study.Study.frame` as CSV, one line for each trial.

    An architecture, which has a layer a line in the frame, becomes one line: ``gap | conv1 10``.
    Where there are several limits on parameters, the column ``best_within`` names those that a
    trial is the best of.

    Args:
        study: path of a study file, or name of a study in the storage.
        path: the file to write.
        storage: URL of the study database.

    Raises:
        StorageError: the storage or the study does not exist.
        ExportError: the file cannot be written.
    """
    quiet_optuna()
    check_place(path)
    stored = open_study(study, storage, writing=False)
    frame = Study.open(study, storage=storage).frame()
    if limits := stored.file.budget.several:
        records = stored.records()
        best = {limit: best_of(records, limit=limit) for limit in limits}
        frame["best_within"] = [
            " ".join(str(limit) for limit, each in best.items() if each and each.number == number)
            for number in frame["number"]
        ]
    for column in ("reason", "architecture"):
        texts = frame[column]
        frame[column] = [" | ".join(t.splitlines()) if isinstance(t, str) else t for t in texts]
    write_text(path, frame.to_csv(index=False))


def status_text(state: Status) -> str:
    """Return a status as lines for people."""
    counts = ", ".join(f"{count} {name}" for name, count in state.outcomes.items() if count)
    lines = [
        f"{state.name}: {state.trained} of {max(state.trained, state.total)} trials trained"
        + (f" ({counts})" if counts else ""),
        f"  running {state.running}, queued {state.queued}"
        + (f", {state.trials_an_hour:,.0f} trials an hour" if state.trials_an_hour else ""),
    ]
    if state.asked:
        lines.append(f"  asked for: {state.asked}")
    if state.rejections:
        lines.append(f"  rejected by {state.rejections}")
    if state.advice:
        lines.append(f"  {state.advice}")
    if state.best is not None:
        lines.append(
            f"  best: trial {state.best.trial}, {state.best.parameters:,} parameters, "
            f"validation floor {percent(state.best.score)}{_on_chip(state.best.on_chip)}"
        )
        lines += [f"      takes {state.latency}"] if state.latency else []
        lines += [f"      {layer}" for layer in (state.architecture or "").splitlines()]
        lines += _limit_lines(state)
        if state.target is not None:
            reached = "reached" if state.best.score >= state.target else "not reached"
            lines.append(f"  target {percent(state.target)}: {reached} on validation")
        lines.append("  front (validation floor by parameters):")
        lines += [
            f"    {point.parameters:>9,}  {percent(point.score)}  trial {point.trial}"
            + _on_chip(point.on_chip)
            for point in state.front
        ]
    if state.difference is not None:
        apart = f"{100 * state.difference:.2f} points apart"
        lines.append(f"  two trials differ where their floors are {apart}; less may be their seeds")
    if state.champions:
        lines.append(f"  confirm {state.confirms}, mean test floors:")
        lines += [
            f"    {champion.limit:>9,}  {percent(fmean(champion.test_floors))} over "
            f"{plural(len(champion.test_floors), 'seed')}  trial {champion.trial}"
            f"{_in_int8(champion.test_int8)}{_on_chip(champion.on_chip)}"
            for champion in state.champions
        ]
    elif state.confirms:
        mean = sum(state.test_floors) / len(state.test_floors) if state.test_floors else None
        figures = (
            f"mean test floor {percent(mean)} over {plural(len(state.test_floors), 'seed')}"
            + _in_int8(state.test_int8)
            if mean is not None
            else "not finished"
        )
        lines.append(f"  confirm {state.confirms}: {figures}")
    return "\n".join(lines)


def _on_chip(words: str) -> str:
    """Return what a network takes of a chip, as the end of a line; nothing where it is unknown."""
    return f"  {words} in int8" if words else ""


def _in_int8(accuracies: Sequence[float]) -> str:
    """Return the mean accuracy in int8, as the end of a line; nothing where there is none."""
    return f", in int8 {percent(fmean(accuracies))} after the last epoch" if accuracies else ""


def _limit_lines(state: Status) -> list[str]:
    if not state.limits:
        return []
    return [
        "  best of each limit (validation floor):",
        *(
            f"    {each.limit:>9,}  "
            + (f"{percent(each.best.score)}  trial {each.best.trial}, " if each.best else "-  ")
            + (f"{each.best.parameters:,} parameters, " if each.best else "")
            + f"{plural(each.trained, 'trial')} trained"
            + _on_chip(each.best.on_chip if each.best else "")
            for each in state.limits
        ),
    ]


def _point(record: TrialRecord) -> FrontPoint:
    return FrontPoint(record.number, record.parameters or 0, record.score or 0.0, record.on_chip)

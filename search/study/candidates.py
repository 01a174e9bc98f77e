"""The candidates of a study: which trials trained the same one, and what is known of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass

from optuna.trial import FrozenTrial

from search.strategies.archive import posterior_of
from search.strategies.model.posterior import Estimate
from search.study.problem import problem_of
from search.study.records import SCORE_ATTRIBUTE, Outcome, TrialRecord
from search.study.study import StoredStudy

__all__ = [
    "Leader",
    "Repeat",
    "best_trials",
    "candidates_known",
    "find_repeat",
    "first_of_each",
    "floors_known",
    "leader_of",
]

_WITHOUT_FIGURES = (Outcome.REJECTED, Outcome.INTERRUPTED, Outcome.OUT_OF_MEMORY)


@dataclass(frozen=True)
class Repeat:
    """What a trial repeats.

    Attributes:
        first: number of the first trial of the candidate.
        judged: how many others were trained to their end, or are in training.
    """

    first: int
    judged: int


def find_repeat(records: Iterable[TrialRecord], number: int, key: str) -> Repeat | None:
    """Return what a trial repeats; None if no trial before it trained its candidate.

    A pruned trial can be the first one, but it was not judged: it ended early.

    Args:
        records: of the study.
        number: of the trial that has drawn the candidate.
        key: of the candidate.
    """
    same = [
        record
        for record in records
        if record.number < number and record.outcome not in _WITHOUT_FIGURES and record.key == key
    ]
    if not same:
        return None
    judged = sum(record.outcome is not Outcome.PRUNED for record in same)
    return Repeat(min(record.number for record in same), judged)


def candidates_known(
    stored: StoredStudy, trials: Sequence[FrozenTrial] | None = None
) -> dict[str, Estimate] | None:
    """Return what is known of each candidate that was trained to its end, by its key.

    It is computed from all trials when it is read: a candidate's own trainings, corrected for the
    difficulty of their folds, and drawn towards what similar candidates came to.

    Args:
        stored: the study.
        trials: of the study, to know what was known after them; None for all.

    Returns:
        None for a study that began without a score.
    """
    settings = stored.file.settings
    if not settings.score:
        return None
    return posterior_of(stored.study, problem_of(stored, settings.trials), trials)


def best_trials(
    records: Iterable[TrialRecord], top: int, known: Mapping[str, Estimate] | None = None
) -> tuple[int, ...]:
    """Return the numbers of the best trials, the best first.

    What is known of a candidate decides: the expected score after all of its trainings and those of
    its neighbours, so that one lucky training does not. Each candidate is there once, by its first
    complete trial. In studies that began without a score the validation floor decides, and every
    trial stands for itself. If two are equal, the one with fewer parameters comes first, then the
    older one.

    Args:
        records: of a study.
        top: the most trials to return; there may be fewer complete ones.
        known: of each candidate, by its key; None where the floor decides.
    """
    scored = [record for record in records if record.score is not None]
    if known is not None:
        scored = first_of_each(scored)

    def worth(record: TrialRecord) -> float:
        found = None if known is None else known.get(str(record.key))
        return (record.rank_score or 0.0) if found is None else found.mean

    scored.sort(key=lambda record: (-worth(record), record.parameters or 0, record.number))
    return tuple(record.number for record in scored[:top])


def first_of_each(records: Iterable[TrialRecord]) -> list[TrialRecord]:
    """Return the first of the records of each candidate."""
    first: dict[str | None, TrialRecord] = {}
    for record in records:
        first.setdefault(record.key, record)
    return list(first.values())


@dataclass(frozen=True)
class Leader:
    """The candidate with the highest expected score.

    Attributes:
        record: of its first complete trial.
        known: what is known of it.
    """

    record: TrialRecord
    known: Estimate


def leader_of(stored: StoredStudy) -> Leader | None:
    """Return the candidate that a confirm would take first.

    Returns:
        None where no trial is complete, for a study that began without a score, and for one that
        asks for more than the one most accurate network.
    """
    known = None if stored.file.asked else candidates_known(stored)
    if not known:
        return None
    records = stored.records()
    (number,) = best_trials(records, 1, known)
    record = next(each for each in records if each.number == number)
    found = known.get(str(record.key))
    return None if found is None else Leader(record, found)


def floors_known(stored: StoredStudy) -> dict[str, Estimate]:
    """Return what is known of each candidate's validation floor, whatever the study ranks by."""
    trials = [_with_floor(trial) for trial in stored.study.get_trials(deepcopy=False)]
    return posterior_of(stored.study, problem_of(stored, stored.file.settings.trials), trials)


def _with_floor(trial: FrozenTrial) -> FrozenTrial:
    changed = copy(trial)
    kept = {key: value for key, value in trial.user_attrs.items() if key != SCORE_ATTRIBUTE}
    changed.user_attrs = kept
    return changed

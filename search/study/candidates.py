"""The candidates of a study: which trials trained the same one, and what is known of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from optuna.trial import FrozenTrial

from search.strategies.archive import posterior_of
from search.strategies.model.posterior import Estimate
from search.study.problem import problem_of
from search.study.records import Outcome, TrialRecord
from search.study.study import StoredStudy

__all__ = ["Repeat", "candidates_known", "find_repeat"]

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

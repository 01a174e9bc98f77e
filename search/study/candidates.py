"""Which trials of a study trained the same candidate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from search.study.records import Outcome, TrialRecord

__all__ = ["Repeat", "find_repeat"]

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

"""Choose the trials that a confirm retrains, and the champion among them."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean

from search.study.confirms import Confirm
from search.study.records import TrialRecord

__all__ = ["best_trials", "champion_of"]


def best_trials(records: Iterable[TrialRecord], top: int) -> tuple[int, ...]:
    """Return the numbers of the trials with the highest validation floors, the best first.

    If floors are equal, the trial with fewer parameters comes first, then the older one.

    Args:
        records: of a study.
        top: the most trials to return; there may be fewer complete ones.
    """
    scored = sorted(
        (record for record in records if record.score is not None),
        key=lambda record: (-(record.score or 0.0), record.parameters or 0, record.number),
    )
    return tuple(record.number for record in scored[:top])


def champion_of(confirm: Confirm) -> int:
    """Return the trial with the highest mean validation floor over its retrainings.

    If means are equal, the trial that was better in the search wins.

    Raises:
        ValueError: if not all candidates were retrained yet.
    """
    if not confirm.selected:
        raise ValueError("not every candidate has been retrained, so there is no champion yet")
    return max(confirm.plan.trials, key=lambda trial: fmean(confirm.validation_floors(trial)))

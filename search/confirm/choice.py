"""Choose the champion among the trials that a confirm has retrained."""

from __future__ import annotations

from statistics import fmean

from search.study.confirms import Confirm

__all__ = ["champion_of"]


def champion_of(confirm: Confirm) -> int:
    """Return the trial with the highest mean validation floor over its retrainings.

    If means are equal, the trial that was better in the search wins.

    Raises:
        ValueError: if not all candidates were retrained yet.
    """
    if not confirm.selected:
        raise ValueError("not every candidate has been retrained, so there is no champion yet")
    return max(confirm.plan.trials, key=lambda trial: fmean(confirm.validation_floors(trial)))

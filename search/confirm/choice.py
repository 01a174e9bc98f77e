"""Choose the trials that a confirm retrains, and the champion among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import fmean

from search.strategies.model.posterior import Estimate
from search.study.confirms import Confirm
from search.study.records import TrialRecord

__all__ = ["best_trials", "champion_of"]


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
        first: dict[str | None, TrialRecord] = {}
        for record in scored:
            first.setdefault(record.key, record)
        scored = list(first.values())

    def worth(record: TrialRecord) -> float:
        found = None if known is None else known.get(str(record.key))
        return (record.rank_score or 0.0) if found is None else found.mean

    scored.sort(key=lambda record: (-worth(record), record.parameters or 0, record.number))
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

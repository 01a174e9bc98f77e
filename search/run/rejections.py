"""Count candidates rejected in a row, to stop a search in which nothing fits the budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optuna.trial import FrozenTrial

from search.spec.budget import Budget
from search.study.records import LIMIT_ATTRIBUTE, Outcome

__all__ = ["REJECTION_LIMIT", "Rejections", "rejections_in_a_row"]

REJECTION_LIMIT = 1000
"""The number of rejections in a row after which a search stops."""


@dataclass(frozen=True)
class Rejections:
    """The trials that were rejected since the last one that fitted the budget.

    Attributes:
        count: how many.
        smallest: the smallest value of each kind of cost among them.
        limit: which of several limits on parameters the last of them had; None where there is one.
    """

    count: int
    smallest: dict[str, float]
    limit: int | None = None

    def explain(self, budget: Budget) -> str:
        """Return one line that says what did not fit and what to do."""
        seen = [
            f"{self.smallest[name]:,g} {name} (budget {limit:,g})"
            for name, limit in budget.under(self.limit).limits().items()
            if name in self.smallest
        ]
        smallest = (
            "; the smallest seen: " + ", ".join(seen)
            if seen
            else "; the images became too small for the layers in all of them"
        )
        return (
            f"{self.count:,} candidates in a row did not fit the budget{smallest}; "
            "raise the budget or narrow the space"
        )


def rejections_in_a_row(trials: Sequence[FrozenTrial], since: int) -> Rejections:
    """Count the rejected trials since the last one that fitted the budget.

    A trial that is in training has fitted it; one that has not drawn its candidate yet is skipped.

    Args:
        trials: all trials of a study in their order.
        since: number of the first trial that counts.
    """
    count = 0
    smallest: dict[str, float] = {}
    limit: int | None = None
    for trial in reversed(trials[since:]):
        if not trial.state.is_finished():
            if trial.constraints and max(trial.constraints.values()) <= 0:
                break
            continue
        if trial.user_attrs.get("outcome") != Outcome.REJECTED:
            break
        # Until one fits, the turn stays with the limit of the last one.
        limit = trial.user_attrs.get(LIMIT_ATTRIBUTE) if limit is None else limit
        count += 1
        for name, value in trial.user_attrs.get("cost", {}).items():
            smallest[name] = min(value, smallest.get(name, value))
    return Rejections(count, smallest, limit)

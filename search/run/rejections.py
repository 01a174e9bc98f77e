"""Rejections in a row: when a study finds nothing that fits, it has to say so and stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optuna.trial import FrozenTrial

from search.spec.study_file import Budget
from search.study.records import Outcome

__all__ = ["MOST_REJECTED", "Streak", "rejected_in_a_row"]

MOST_REJECTED = 1000


@dataclass(frozen=True)
class Streak:
    """The rejected trials since the last one that fitted.

    Attributes:
        length: how many.
        smallest: the least value seen of each cost among those that have one.
    """

    length: int
    smallest: dict[str, float]

    def explain(self, budget: Budget) -> str:
        """Says what did not fit and what to do."""
        seen = [
            f"{self.smallest[name]:,g} {name} (budget {limit:,g})"
            for name, limit in budget.limits().items()
            if name in self.smallest
        ]
        smallest = "; the smallest seen: " + ", ".join(seen) if seen else "; no map survived"
        return (
            f"{self.length:,} candidates in a row did not fit the budget{smallest}; "
            "raise the budget or narrow the space"
        )


def rejected_in_a_row(trials: Sequence[FrozenTrial], since: int) -> Streak:
    """Counts back from the newest trial, no further than the trial with number ``since``.

    A trial that is being trained ends the streak as one that was trained does.
    """
    length = 0
    smallest: dict[str, float] = {}
    for trial in reversed(trials[since:]):
        if not trial.state.is_finished():
            if trial.constraints and max(trial.constraints.values()) <= 0:
                break
            continue
        if trial.user_attrs.get("outcome") != Outcome.REJECTED:
            break
        length += 1
        for name, value in trial.user_attrs.get("cost", {}).items():
            smallest[name] = min(value, smallest.get(name, value))
    return Streak(length, smallest)

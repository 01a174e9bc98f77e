"""The constraints of trials and the best trial, in the form that optuna-dashboard reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

__all__ = ["best_that_fits", "with_constraints"]

# Where optuna-dashboard looks for constraints: the key of Optuna 4, a list in one attribute.
_CONSTRAINTS = "constraints"


def with_constraints(trial: FrozenTrial) -> dict[str, Any]:
    """Return a trial's system attributes with its constraints where optuna-dashboard looks."""
    if not trial.constraints or _CONSTRAINTS in trial.system_attrs:
        return trial.system_attrs
    return {**trial.system_attrs, _CONSTRAINTS: list(trial.constraints.values())}


def best_that_fits(complete: Sequence[FrozenTrial], direction: StudyDirection) -> FrozenTrial:
    """Return the best trial that satisfies its constraints.

    If several are equal, the one with fewest parameters wins. If every trial breaks a constraint,
    which happens only in studies of other programs, the best of all is returned, because
    optuna-dashboard asks for a best trial as soon as one is complete.

    Args:
        complete: complete trials, at least one.
        direction: of the study.

    Raises:
        ValueError: there is no trial.
    """
    if not complete:
        raise ValueError("no trial is complete yet")
    sign = 1 if direction is StudyDirection.MAXIMIZE else -1

    def rank(trial: FrozenTrial) -> tuple[float, float]:
        parameters = trial.user_attrs.get("parameters")
        size = parameters if isinstance(parameters, int | float) else 0
        return sign * (trial.value or 0.0), -size

    return max([trial for trial in complete if _fits(trial)] or complete, key=rank)


def _fits(trial: FrozenTrial) -> bool:
    return all(value <= 0 for value in trial.constraints.values())

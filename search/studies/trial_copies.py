"""Trials of one study as another study takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optuna.trial import FrozenTrial

__all__ = ["copy_of"]


def copy_of(
    trial: FrozenTrial,
    *,
    user_attrs: Mapping[str, Any],
    system_attrs: Mapping[str, Any],
    drawn: FrozenTrial | None = None,
) -> FrozenTrial:
    """Return a trial with other attributes, which no storage has yet.

    Args:
        trial: whose state, value, times and epochs the copy has.
        user_attrs: flyweight's attributes of the copy.
        system_attrs: Optuna's attributes of the copy.
        drawn: the trial whose parameters the copy has; by default the trial itself.
    """
    drawn = drawn or trial
    return FrozenTrial(
        number=trial.number,
        trial_id=-1,
        state=trial.state,
        value=trial.value,
        datetime_start=trial.datetime_start,
        datetime_complete=trial.datetime_complete,
        params=drawn.params,
        distributions=drawn.distributions,
        user_attrs=dict(user_attrs),
        system_attrs=dict(system_attrs),
        intermediate_values=trial.intermediate_values,
    )

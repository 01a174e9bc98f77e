"""Trials as another study takes them."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from search.studies.trial_copies import copy_of

BEGAN = datetime(2026, 1, 2, 3, 4, 5)


def _trial(value: float, epochs: list[float], a: int) -> FrozenTrial:
    trial = create_trial(
        state=TrialState.COMPLETE,
        value=value,
        params={"a": a},
        distributions={"a": IntDistribution(0, 9)},
        user_attrs={"slot": 3},
        system_attrs={"fixed_params": {"a": a}},
        intermediate_values=dict(enumerate(epochs)),
    )
    trial.number = 7
    trial.datetime_start, trial.datetime_complete = BEGAN, BEGAN + timedelta(seconds=9)
    return trial


@given(st.floats(0, 1), st.lists(st.floats(0, 1), max_size=3), st.integers(0, 9))
def test_a_copy_differs_in_its_attributes_alone(value: float, epochs: list[float], a: int) -> None:
    """With the trial's own attributes a copy is the trial; with others it has those."""
    trial = _trial(value, epochs, a)
    same = copy_of(trial, user_attrs=trial.user_attrs, system_attrs=trial.system_attrs)
    same._trial_id = trial._trial_id
    assert same == trial
    other = copy_of(trial, user_attrs={"slot": 4}, system_attrs={})
    assert (other.user_attrs, other.system_attrs) == ({"slot": 4}, {})
    other.user_attrs, other.system_attrs = trial.user_attrs, trial.system_attrs
    other._trial_id = trial._trial_id
    assert other == trial


def test_a_copy_may_be_drawn_anew() -> None:
    """Parameters and their distributions are those of the trial drawn, all else the trial's."""
    trial, drawn = _trial(0.5, [0.5], 1), _trial(0.25, [], 2)
    copy = copy_of(trial, user_attrs={}, system_attrs={}, drawn=drawn)
    assert (copy.params, copy.distributions) == (drawn.params, drawn.distributions)
    assert (copy.value, copy.intermediate_values) == (0.5, {0: 0.5})
    assert (copy.number, copy.datetime_start) == (7, BEGAN)

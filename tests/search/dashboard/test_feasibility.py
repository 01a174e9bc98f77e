from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, create_trial

from search.dashboard.feasibility import best_that_fits, with_constraints

scores = st.sampled_from([0.0, 0.5, 0.9, 1.0])


@st.composite
def trials(draw: st.DrawFn) -> FrozenTrial:
    """Draw a complete trial with a size, and with constraints or without."""
    over = draw(st.sampled_from([-0.5, 0.0, 0.1]))
    return create_trial(
        value=draw(scores),
        constraints=draw(st.sampled_from([{}, {"parameters": over, "shape": 0.0}])),
        user_attrs={"parameters": draw(st.sampled_from([10, 20, "many", None]))},
    )


def _fits(trial: FrozenTrial) -> bool:
    return max(trial.constraints.values(), default=0.0) <= 0


@given(
    st.lists(trials(), min_size=1, max_size=6),
    st.sampled_from([StudyDirection.MINIMIZE, StudyDirection.MAXIMIZE]),
)
def test_the_best_that_fits_is_beaten_by_none_that_fits(
    complete: list[FrozenTrial], direction: StudyDirection
) -> None:
    """Where some trials fit the best is one of them and no other of them has a better score."""
    best = best_that_fits(complete, direction)
    rivals = [trial for trial in complete if _fits(trial)] or complete
    assert best in rivals
    found = [trial.value or 0.0 for trial in rivals]
    assert best.value == (max if direction is StudyDirection.MAXIMIZE else min)(found)


def test_without_a_trial_there_is_no_best() -> None:
    """A study in which nothing is complete has no best trial, as Optuna's storages say it."""
    with pytest.raises(ValueError, match="no trial is complete"):
        best_that_fits([], StudyDirection.MAXIMIZE)


@given(trials())
def test_constraints_are_added_to_what_is_there(trial: FrozenTrial) -> None:
    """The dashboard gets every constraint, Optuna's attributes stay, and the trial is unchanged."""
    trial.system_attrs["fixed_params"] = {}
    before = dict(trial.system_attrs)
    shown = with_constraints(trial)
    assert shown.get("constraints", []) == list(trial.constraints.values())
    assert shown.items() >= before.items()
    assert trial.system_attrs == before

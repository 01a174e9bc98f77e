from __future__ import annotations

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from search.run.rejections import rejections_in_a_row
from search.spec.budget import Budget
from search.study.records import Outcome


def _rejected(parameters: int | None) -> FrozenTrial:
    cost = {} if parameters is None else {"parameters": parameters, "macs": parameters * 10}
    return create_trial(
        state=TrialState.PRUNED, user_attrs={"outcome": Outcome.REJECTED, "cost": cost}
    )


def _trained() -> FrozenTrial:
    return create_trial(
        value=0.5, user_attrs={"outcome": Outcome.COMPLETE, "cost": {"parameters": 7}}
    )


def _running(excess: float | None) -> FrozenTrial:
    study = optuna.create_study()
    trial = study.ask()
    if excess is not None:
        trial.set_constraint("parameters", excess)
    return study.trials[0]


@pytest.mark.parametrize(
    ("trials", "count"),
    [
        ([], 0),
        ([_trained()], 0),
        ([_rejected(9), _rejected(8)], 2),
        ([_rejected(9), _trained(), _rejected(8)], 1),
        ([_rejected(9), _rejected(8), _running(None)], 2),
        ([_rejected(9), _running(0.3), _rejected(8)], 2),
        ([_rejected(9), _running(-0.3), _rejected(8)], 1),
    ],
)
def test_only_rejections_since_the_last_that_fitted_count(
    trials: list[FrozenTrial], count: int
) -> None:
    """A trial that was trained or is being trained ends the count, an undecided one does not."""
    assert rejections_in_a_row(trials, 0).count == count


def test_a_worker_counts_from_its_own_beginning() -> None:
    """Rejections of an earlier run do not stop one that has just been resumed."""
    assert rejections_in_a_row([_rejected(9)] * 5, 3).count == 2


def test_the_smallest_of_each_cost_is_told_beside_its_limit() -> None:
    """The message gives what to do and how far the best came, in the budget's own words."""
    rejections = rejections_in_a_row([_rejected(2_100), _rejected(None), _rejected(3_000)], 0)
    words = rejections.explain(Budget(2_000, None, None))
    assert "3 candidates in a row" in words
    assert "2,100 parameters (budget 2,000)" in words
    assert "macs" not in words
    assert "raise the budget" in words


def test_candidates_without_a_cost_are_explained() -> None:
    """Where every candidate's feature maps vanish there is no smallest cost to tell."""
    assert "too small for the layers" in rejections_in_a_row([_rejected(None)], 0).explain(
        Budget(2_000, None, None)
    )


def test_of_several_limits_the_one_in_turn_is_told() -> None:
    """The limit that the last of them had is named, for it is the one that nothing fits."""
    rejected = _rejected(2_100)
    rejected.set_user_attr("limit", 2_000)
    rejections = rejections_in_a_row([_rejected(2_300), rejected], 0)
    words = rejections.explain(Budget((2_000, 8_000)))
    assert "2,100 parameters (budget 2,000)" in words

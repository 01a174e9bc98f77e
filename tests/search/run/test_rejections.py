from __future__ import annotations

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from search.run.rejections import rejected_in_a_row
from search.spec.study_file import Budget
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
    ("trials", "length"),
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
    trials: list[FrozenTrial], length: int
) -> None:
    """A trial that was trained or is being trained ends the streak, an undecided one does not."""
    assert rejected_in_a_row(trials, 0).length == length


def test_a_worker_counts_from_its_own_beginning() -> None:
    """Rejections of an earlier run do not stop one that has just been resumed."""
    assert rejected_in_a_row([_rejected(9)] * 5, 3).length == 2


def test_the_smallest_of_each_cost_is_told_beside_its_limit() -> None:
    """The message gives what to do and how far the best came, in the budget's own words."""
    streak = rejected_in_a_row([_rejected(2_100), _rejected(None), _rejected(3_000)], 0)
    words = streak.explain(Budget(2_000, None, None))
    assert "3 candidates in a row" in words
    assert "2,100 parameters (budget 2,000)" in words
    assert "macs" not in words
    assert "raise the budget" in words


def test_it_is_said_where_no_map_survived() -> None:
    """Where every candidate's maps vanish there is no smallest cost to tell."""
    assert "no map survived" in rejected_in_a_row([_rejected(None)], 0).explain(
        Budget(2_000, None, None)
    )

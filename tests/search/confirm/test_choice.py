from __future__ import annotations

import pytest

from search.confirm.choice import champion_of
from search.study.confirms import Confirm, ConfirmPlan, Repeat

PLAN = ConfirmPlan(ordinal=1, trials=(7, 3), seeds=2, trained=9, top=2)


def _repeat(trial: int, repeat: int, *accuracies: float, failure: str = "") -> Repeat:
    return Repeat(trial, repeat, 11, accuracies, 1.5, failure, "cpu", {"torch": "2"}, None)


def _confirm(*selection: Repeat) -> Confirm:
    return Confirm(PLAN, 2, selection, ())


def test_the_mean_validation_floor_chooses() -> None:
    """Not the best single repeat but the mean decides, over the floors and not the peaks."""
    found = _confirm(
        _repeat(7, 0, 0.1, 0.99, 0.99),
        _repeat(7, 1, 0.1, 0.5, 0.99),
        _repeat(3, 0, 0.1, 0.8, 0.8),
        _repeat(3, 1, 0.1, 0.8, 0.81),
    )
    assert found.validation_floors(7) == [0.99, 0.5]
    assert champion_of(found) == 3


def test_of_equals_the_better_in_the_search_is_chosen() -> None:
    """Where means are equal the trial that the search ranked higher wins."""
    repeats = [_repeat(trial, repeat, 0.5) for trial in (7, 3) for repeat in (0, 1)]
    assert champion_of(_confirm(*repeats)) == 7


def test_a_failed_repeat_counts_as_nothing_right() -> None:
    """A candidate that diverges for one of its seeds is not chosen for the other."""
    found = _confirm(
        _repeat(7, 0, 0.9),
        _repeat(7, 1, 0.9, failure="the loss was no longer finite"),
        _repeat(3, 0, 0.5),
        _repeat(3, 1, 0.5),
    )
    assert champion_of(found) == 3
    assert _repeat(7, 1, failure="no memory").last == 0.0


def test_nobody_is_chosen_before_all_were_repeated() -> None:
    """An unfinished selection has no champion, and is not finished."""
    found = _confirm(_repeat(7, 0, 0.9), _repeat(7, 1, 0.9), _repeat(3, 0, 0.5))
    assert not found.selected
    assert not found.finished
    with pytest.raises(ValueError, match="every candidate"):
        champion_of(found)

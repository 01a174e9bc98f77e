from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.confirm.choice import best_trials, champion_of
from search.study.confirms import Confirm, ConfirmPlan, Repeat
from tests.search.run.test_progress import COMPLETE

PLAN = ConfirmPlan(ordinal=1, trials=(7, 3), seeds=2, trained=9, top=2)


def _repeat(trial: int, repeat: int, *accuracies: float, failure: str = "") -> Repeat:
    return Repeat(trial, repeat, 11, accuracies, 1.5, failure, "cpu", {"torch": "2"}, None)


def _confirm(*selection: Repeat) -> Confirm:
    return Confirm(PLAN, 2, selection, ())


@given(
    st.lists(st.tuples(st.none() | st.sampled_from([0.5, 0.7, 0.9]), st.integers(1, 3))),
    st.integers(1, 5),
)
def test_the_best_trials_are_retrained(figures: list[tuple[float | None, int]], top: int) -> None:
    """No trial that is left out beats one that is chosen; the best stands first."""
    records = [
        replace(COMPLETE, number=number, score=score, parameters=parameters)
        for number, (score, parameters) in enumerate(figures)
    ]
    chosen = best_trials(records, top)
    scored = [record for record in records if record.score is not None]
    assert len(chosen) == min(top, len(scored))
    ranks = [(-(records[n].score or 0), records[n].parameters or 0, n) for n in chosen]
    assert ranks == sorted(ranks)
    for record in scored:
        if record.number not in chosen:
            assert (-(record.score or 0), record.parameters or 0, record.number) > ranks[-1]


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

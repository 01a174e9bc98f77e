from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.study.confirms import (
    MOST_INT8_LOSS,
    Confirm,
    ConfirmPlan,
    Repeat,
    Tuning,
    last_ordinal,
    load_confirm,
    save_plan,
    save_repeat,
)
from tests.search.small_studies import begun, reopened

PLAN = ConfirmPlan(ordinal=1, trials=(7, 3), seeds=2, trained=9, top=2)


def _repeat(trial: int, repeat: int, *accuracies: float, failure: str = "") -> Repeat:
    return Repeat(trial, repeat, 11, accuracies, 1.5, failure, "cpu", {"torch": "2"}, None)


def test_a_confirm_is_read_as_it_was_stored(tmp_path: Path) -> None:
    """Repeats that were stored in any order by several workers come back in theirs."""
    stored = begun(tmp_path)
    assert last_ordinal(stored) == 0
    save_plan(stored, PLAN)
    selection = [_repeat(t, r, 0.1 * t, 0.2) for t in (7, 3) for r in (0, 1)]
    for slot in (3, 0, 2, 1):
        save_repeat(stored, 1, "selection", slot, selection[slot])
    final = [_repeat(7, 0, 0.5), _repeat(7, 1, 0.6)]
    for slot in (1, 0):
        save_repeat(stored, 1, "final", slot, final[slot])
    found = load_confirm(stored, 1)
    assert found == Confirm(PLAN, 1, tuple(selection), tuple(final))
    assert found.finished
    assert found.test_floors == [0.5, 0.6]
    assert last_ordinal(stored) == 1


def test_a_plan_is_stored_as_by_earlier_versions(tmp_path: Path) -> None:
    """What a confirm of the most accurate network keeps has not changed; a goal adds to it."""
    stored = begun(tmp_path)
    save_plan(stored, PLAN)
    kept = dict(ordinal=1, trials=[7, 3], seeds=2, trained=9, top=2)
    assert reopened(tmp_path).study.user_attrs["confirm:1"] == kept
    plan = replace(PLAN, ordinal=2, parameters=(900, 400), to_hold=0.99)
    save_plan(stored, plan)
    assert load_confirm(reopened(tmp_path), 2).plan == plan


def test_a_plan_stays_as_it_was_first_made(tmp_path: Path) -> None:
    """Of two processes that begin a confirm at once one decides what it is."""
    stored = begun(tmp_path)
    save_plan(stored, PLAN)
    save_plan(stored, ConfirmPlan(ordinal=1, trials=(1,), seeds=9, trained=9, top=1))
    assert load_confirm(stored, 1).plan == PLAN


def test_more_than_nine_confirms_are_told_apart(tmp_path: Path) -> None:
    """The repeats of the tenth confirm are not those of the first."""
    stored = begun(tmp_path)
    for ordinal in (1, 10):
        save_plan(stored, ConfirmPlan(ordinal, (7,), 1, 9, 1))
        save_repeat(stored, ordinal, "selection", 0, _repeat(7, 0, ordinal / 100))
    assert last_ordinal(stored) == 10
    assert [r.accuracies for r in load_confirm(stored, 1).selection] == [(0.01,)]
    with pytest.raises(KeyError):
        load_confirm(stored, 2)


def _measured(figures: list[tuple[float, float | None]], *, tunes: bool = True) -> Confirm:
    """Return a confirm of one trial, from accuracies on validation in floats and in int8."""
    repeats = [
        replace(_repeat(7, r, floats, failure="" if int8 is not None else "diverged"), int8=int8)
        for r, (floats, int8) in enumerate(figures)
    ]
    plan = ConfirmPlan(1, (7,), len(figures), 9, 1, tunes=tunes)
    return Confirm(plan, 1, tuple(repeats), ())


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(-50, 50)), min_size=1, max_size=9))
def test_a_champion_is_tuned_that_loses_more_than_allowed(counts: list[tuple[int, int]]) -> None:
    """The mean loss on validation decides, exactly, and what failed is left out."""
    figures = [(right / 10_000, (right - lost) / 10_000) for right, lost in counts]
    mean = Fraction(sum(lost for _, lost in counts), 10_000 * len(counts))
    found = _measured([*figures, (0.5, None)]).loss_to_tune(7)
    assert (found is not None) == (mean > Fraction(MOST_INT8_LOSS).limit_denominator(1_000))
    if found is not None:
        assert found == pytest.approx(float(mean))


def test_the_selection_alone_decides_on_tuning() -> None:
    """Neither figures of the test set nor another trial's change it, and old confirms have none."""
    confirm = _measured([(0.99, 0.985), (0.98, 0.975)])
    assert confirm.loss_to_tune(7) == pytest.approx(0.005)
    other = replace(_repeat(3, 0, 0.9), int8=0.9)
    for int8 in (0.0, 1.0):
        final = (replace(_repeat(7, 0, 0.5), int8=int8),)
        tested = replace(confirm, final=final, selection=(*confirm.selection, other))
        assert tested.loss_to_tune(7) == confirm.loss_to_tune(7)
    assert tested.loss_to_tune(3) is None
    assert _measured([(0.99, 0.985)], tunes=False).loss_to_tune(7) is None
    assert _measured([(0.0, None)]).loss_to_tune(7) is None


def test_a_tuning_is_read_as_it_was_stored(tmp_path: Path) -> None:
    """What a repeat keeps of its tuning comes back, plan included."""
    stored = begun(tmp_path)
    save_plan(stored, replace(PLAN, tunes=True))
    tuned = replace(_repeat(7, 0, 0.5), tuning=Tuning(0.004, 3, 1.5, "file", "00ff"))
    save_repeat(stored, 1, "final", 0, tuned)
    found = load_confirm(reopened(tmp_path), 1)
    assert found.final == (tuned,)
    assert found.plan.tunes

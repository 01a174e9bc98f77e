from __future__ import annotations

from dataclasses import replace

import pytest

from search.confirm.choice import champion_of, holding_trials
from search.strategies.model.posterior import Estimate
from search.study.confirms import Confirm, ConfirmPlan, Repeat
from search.study.records import TrialRecord
from tests.search.run.test_progress import COMPLETE

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


def test_what_will_run_chooses_for_a_chip() -> None:
    """Where a chip has limits, the mean accuracy in int8 decides; a failure counts 0."""
    figures = ((7, 0.99, 0.97), (7, 0.99, 0.97), (3, 0.98, 0.98), (3, 0.98, 0.975))
    repeats = [
        replace(_repeat(trial, number % 2, floats), int8=int8)
        for number, (trial, floats, int8) in enumerate(figures)
    ]
    by_int8 = replace(_confirm(*repeats), plan=replace(PLAN, by_int8=True))
    assert (champion_of(_confirm(*repeats)), champion_of(by_int8)) == (7, 3)
    assert by_int8.choosing_figures(3) == [0.98, 0.975]
    failed = replace(by_int8, selection=(*repeats[:3], replace(repeats[3], int8=None)))
    assert champion_of(failed) == 7


def test_plans_of_earlier_versions() -> None:
    """A plan that was stored without the key is read, and one without int8 is stored as before."""
    assert "by_int8" not in PLAN.to_dict()
    assert ConfirmPlan.from_dict(PLAN.to_dict()) == PLAN
    by_int8 = replace(PLAN, by_int8=True)
    assert ConfirmPlan.from_dict(by_int8.to_dict()) == by_int8


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


def _of_size(number: int, parameters: int) -> TrialRecord:
    attributes = {"candidate": str(number)}
    of_size = replace(COMPLETE, number=number, parameters=parameters, attributes=attributes)
    return replace(of_size, architecture=None)


def _chosen(top: int, *known: tuple[int, float, float]) -> list[int]:
    """The sizes of the networks that are retrained to hold 99 %, of those with such floors."""
    records = [_of_size(number, size) for number, (size, _, _) in enumerate(known)]
    floors = {str(n): Estimate(mean, spread, 1) for n, (_, mean, spread) in enumerate(known)}
    found = holding_trials(records, top, floors, 0.99, 4_000)
    return [records[number].parameters or 0 for number in found]


def test_a_small_one_that_may_hold_comes_with_a_larger_one_that_does() -> None:
    """One chance in two is worth a try, but not alone; what has no chance is left out."""
    known = [(500, 0.95, 0.001), (900, 0.99, 0.001), (1_500, 0.995, 0.001), (3_000, 0.996, 0.001)]
    assert _chosen(1, *known) == [1_500]
    assert _chosen(2, *known) == [900, 1_500]
    assert _chosen(4, *known) == [500, 900, 1_500, 3_000]


def test_where_none_has_a_chance_the_most_accurate_are_retrained() -> None:
    """Sizes decide nothing among those that are far from the target."""
    known = [(500, 0.5, 0.001), (900, 0.7, 0.0), (1_500, 0.6, 0.001)]
    assert _chosen(2, *known) == [900, 1_500]


@pytest.mark.parametrize(("to_hold", "champion"), [(0.4, 3), (0.8, 7), (0.99, 7)])
def test_the_smallest_that_holds_is_chosen(to_hold: float, champion: int) -> None:
    """The smaller one where its mean holds the target, else the most accurate."""
    plan = replace(PLAN, parameters=(900, 400), to_hold=to_hold)
    repeats = [_repeat(t, r, 0.9 if t == 7 else 0.5) for t in (7, 3) for r in (0, 1)]
    assert champion_of(Confirm(plan, 2, tuple(repeats), ())) == champion


def test_beside_a_small_one_that_surely_holds_the_most_accurate_is_retrained() -> None:
    """What a smaller one holds already, a second one promises nothing to."""
    known = [(900, 0.996, 0.0005), (1_000, 0.996, 0.0005), (3_000, 0.999, 0.0)]
    assert _chosen(2, *known) == [900, 3_000]


def test_each_limit_has_the_best_that_fits_it() -> None:
    """A better network that is too large for a limit is not its champion, and one may win twice."""
    plan = replace(PLAN, parameters=(900, 400), limits=(300, 500, 1_000, 2_000))
    repeats = [_repeat(t, r, 0.9 if t == 7 else 0.5) for t in (7, 3) for r in (0, 1)]
    found = Confirm(plan, 2, tuple(repeats), ())
    assert found.champions == {500: 3, 1_000: 7, 2_000: 7}
    assert found.finalists == (3, 7)

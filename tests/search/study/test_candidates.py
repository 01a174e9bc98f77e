from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from optuna.trial import TrialState, create_trial

from search.spec.candidate import Candidate, candidate_key
from search.strategies.model.posterior import Estimate
from search.study.candidates import Repeat, best_trials, find_repeat
from search.study.records import Outcome, TrialRecord
from space.architecture import Architecture
from tests.search.run.test_progress import COMPLETE
from trainer.recipe import Recipe

NET = Architecture.parse("conv3 8 relu\ngap\nlinear 10", input_shape=(1, 8, 8))
KEY = Candidate(NET, Recipe()).key


def _record(number: int, outcome: Outcome | None, key: str = KEY) -> TrialRecord:
    attributes = {"candidate": key, **({} if outcome is None else {"outcome": outcome})}
    states = {Outcome.COMPLETE: TrialState.COMPLETE, None: TrialState.RUNNING}
    state = states.get(outcome, TrialState.PRUNED)
    value = 0.5 if state is TrialState.COMPLETE else None
    trial = create_trial(state=state, value=value, user_attrs=attributes)
    trial.number = number
    return TrialRecord.of(trial)


def test_the_seed_is_no_part_of_a_candidates_key() -> None:
    """Equal networks and recipes are equal candidates; anything but the seed makes another one."""
    other = Architecture.parse("conv3 9 relu\ngap\nlinear 10", input_shape=(1, 8, 8))
    assert Candidate(NET, Recipe(seed=1)).key == Candidate(NET, Recipe(seed=2)).key
    assert Candidate(NET, Recipe(learning_rate=0.02)).key != KEY
    assert Candidate(other, Recipe()).key != KEY


def test_what_counts_as_judged() -> None:
    """Complete, diverged and running trials count, pruned ones are only the first of theirs."""
    records = [
        _record(0, Outcome.PRUNED),
        _record(1, Outcome.REJECTED),
        _record(2, Outcome.INTERRUPTED),
        _record(3, Outcome.OUT_OF_MEMORY),
        _record(4, Outcome.COMPLETE),
        _record(5, None),
        _record(6, Outcome.DIVERGED),
        _record(7, Outcome.COMPLETE, key="another"),
        _record(9, Outcome.COMPLETE),
    ]
    assert find_repeat(records, 8, KEY) == Repeat(first=0, judged=3)
    assert find_repeat(records[1:4], 8, KEY) is None


def test_earlier_versions_stored_no_key() -> None:
    """The key of their trials is that of the architecture and the recipe that they kept."""
    attributes = {"architecture": str(NET), "recipe": Recipe(seed=5).to_dict()}
    trial = create_trial(value=0.5, user_attrs={**attributes, "outcome": "complete"})
    assert TrialRecord.of(trial).key == KEY


def test_a_key_of_a_recipe_that_had_fewer_keys_is_todays() -> None:
    """A study goes on to know its candidates when recipes get another key, with its default."""
    recipe = Recipe(seed=5).to_dict()
    del recipe["tail"]
    stored = candidate_key(str(NET), recipe)
    attributes = {"architecture": str(NET), "recipe": recipe, "candidate": stored}
    trial = create_trial(value=0.5, user_attrs={**attributes, "outcome": "complete"})
    record = TrialRecord.of(trial)
    assert stored != KEY
    assert record.key == KEY
    assert find_repeat([record], trial.number + 1, KEY) == Repeat(first=trial.number, judged=1)


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


def test_what_is_known_ranks_before_one_lucky_training() -> None:
    """The expected score decides, each candidate is there once, an unknown one by its own score."""
    records = [
        replace(
            COMPLETE, number=number, score=score, architecture=None, attributes={"candidate": key}
        )
        for number, (key, score) in enumerate([("a", 0.99), ("b", 0.9), ("b", 0.91), ("c", 0.95)])
    ]
    known = {"a": Estimate(0.92, 0.01, 1), "b": Estimate(0.96, 0.01, 2)}
    assert best_trials(records, 9, known) == (1, 3, 0)

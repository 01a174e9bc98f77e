from __future__ import annotations

from optuna.trial import TrialState, create_trial

from search.spec.candidate import Candidate
from search.study.candidates import Repeat, find_repeat
from search.study.records import Outcome, TrialRecord
from space.architecture import Architecture
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

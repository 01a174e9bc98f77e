from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from search.study.importance import ENOUGH_TRIALS, grouped_importances, ranks_of
from search.study.records import Outcome, records_of
from trainer.loop import Epoch

WIDTHS = ("stage1.conv1.width", "stage2.conv3.width")


def _trial(
    number: int, accuracies: list[float], outcome: str, params: dict[str, float]
) -> FrozenTrial:
    trial = create_trial(
        state=TrialState.PRUNED,
        params={"dropout": params["dropout"], **{name: int(params[name]) for name in WIDTHS}},
        distributions={
            "dropout": FloatDistribution(0, 1),
            **dict.fromkeys(WIDTHS, IntDistribution(1, 20)),
        },
        user_attrs={
            "outcome": outcome,
            "epochs": [Epoch(i, 1, 0.5, each, 1).to_dict() for i, each in enumerate(accuracies)],
        },
    )
    trial.number = number
    return trial


def _drawn(number: int, generator: random.Random) -> FrozenTrial:
    params = {"dropout": generator.random(), **{name: generator.randint(1, 20) for name in WIDTHS}}
    quality = sum(params[name] for name in WIDTHS) / 40
    stopped = generator.random() < 0.5
    outcome = Outcome.PRUNED if stopped else Outcome.COMPLETE
    accuracies = [quality * share for share in ((0.5,) if stopped else (0.5, 0.8, 1.0))]
    return _trial(number, accuracies, outcome, params)


def test_what_decides_is_found_among_all_trained_trials() -> None:
    """Where widths alone decide, they have most of the importance, all widths in one row."""
    generator = random.Random(3)
    trials = [_drawn(number, generator) for number in range(120)]
    found = grouped_importances(trials, ranks_of(records_of(trials)))
    assert set(found) == {"width", "dropout"}
    assert next(iter(found)) == "width"
    assert found["width"] > 0.7
    assert abs(sum(found.values()) - 1) < 1e-9


def test_few_trials_say_nothing() -> None:
    """Below the number that says more than chance there is no importance, and none of equals."""
    generator = random.Random(4)
    trials = [_drawn(number, generator) for number in range(ENOUGH_TRIALS - 1)]
    assert grouped_importances(trials, ranks_of(records_of(trials))) == {}
    equal = [
        _trial(i, [0.5], Outcome.COMPLETE, {"dropout": 0.1, **dict.fromkeys(WIDTHS, 3)})
        for i in range(40)
    ]
    assert grouped_importances(equal, ranks_of(records_of(equal))) == {}


def test_what_never_varied_has_no_share() -> None:
    """A choice that was the same in all trials decided nothing."""
    generator = random.Random(5)
    drawn = [generator.random() for _ in range(ENOUGH_TRIALS)]
    trials = [
        _trial(i, [each], Outcome.COMPLETE, {"dropout": each, **dict.fromkeys(WIDTHS, 3)})
        for i, each in enumerate(drawn)
    ]
    assert grouped_importances(trials, ranks_of(records_of(trials))) == {"dropout": 1}


@given(st.lists(st.lists(st.floats(0, 1), max_size=4), max_size=12))
def test_a_rank_compares_what_trained_as_far(accuracies: list[list[float]]) -> None:
    """Ranks are shares; a trial that trained as far as another and better ranks above it."""
    params = {"dropout": 0.5, **dict.fromkeys(WIDTHS, 3)}
    trials = [_trial(i, each, Outcome.PRUNED, params) for i, each in enumerate(accuracies)]
    ranks = ranks_of(records_of(trials))
    assert set(ranks) == {i for i, each in enumerate(accuracies) if each}
    assert all(0 <= rank <= 1 for rank in ranks.values())
    for i in ranks:
        for j in ranks:
            if len(accuracies[i]) == len(accuracies[j]) and accuracies[i][-1] > accuracies[j][-1]:
                assert ranks[i] > ranks[j]

from __future__ import annotations

from collections import Counter

import numpy as np

from search.strategies.model.posterior import Judgement, estimates
from search.strategies.race import next_repeat, race_length

LENGTH = race_length(140)


def _race(worths: list[float], noise: float, most: int) -> tuple[Counter[str], str]:
    """Race candidates that were trained once: the trainings of each, and who leads."""
    rng = np.random.default_rng(4)

    def train(index: int) -> Judgement:
        return Judgement(f"c{index}", worths[index] + noise * float(rng.standard_normal()))

    judgements = [train(index) for index in range(len(worths))]
    for left in range(most, 0, -1):
        trainings = Counter(each.key for each in judgements)
        again = next_repeat(estimates(judgements), trainings, LENGTH, left)
        if again is None:
            break
        judgements.append(train(int(again[1:])))
    known = estimates(judgements)
    leader = max(known, key=lambda key: known[key].mean)
    return Counter(each.key for each in judgements), leader


def test_the_race_is_a_share_of_the_trials() -> None:
    """40 of 140 or so, and none where there are hardly any trials."""
    assert 38 <= LENGTH <= 40
    assert race_length(11) == 0
    assert 0 < race_length(12) < 12


def test_the_best_are_trained_again_first() -> None:
    """A second training for the ten best, then a third and a fourth for the six best."""
    known = estimates([Judgement(f"c{index:02}", 0.9 + index / 1000) for index in range(30)])
    trainings = Counter(dict.fromkeys(known, 1))
    order = []
    for _ in range(22):
        again = next_repeat(known, trainings, LENGTH, LENGTH)
        assert again is not None
        order.append(int(again[1:]))
        trainings[again] += 1
    assert order == [*range(29, 19, -1), *range(29, 23, -1), *range(29, 23, -1)]


def test_a_clear_leader_ends_the_race() -> None:
    """The best has its five trainings, and the race is over long before its last training."""
    trainings, leader = _race([0.95] * 20 + [0.99], noise=0.0005, most=200)
    assert leader == "c20"
    assert trainings[leader] >= 5
    assert trainings.total() < 21 + 40


def test_close_rivals_go_on_and_hopeless_ones_do_not() -> None:
    """While two are close both are trained; what is far behind is left alone."""
    trainings, leader = _race([0.95] * 18 + [0.9899, 0.99], noise=0.001, most=80)
    assert leader in ("c18", "c19")
    assert min(trainings["c18"], trainings["c19"]) > 10
    assert max(trainings[f"c{index}"] for index in range(18)) <= 4


def test_the_last_trainings_are_a_poorly_trained_leaders() -> None:
    """Before they are spent on rivals the leader has its five."""
    known = estimates([Judgement(f"c{index}", 0.9 + index / 100_000) for index in range(12)])
    trainings = Counter(dict.fromkeys(known, 4))
    leader = max(known, key=lambda key: known[key].mean)
    assert next_repeat(known, trainings, LENGTH, 1) == leader
    trainings[leader] = 3
    assert next_repeat(known, trainings, LENGTH, 2) == leader
    trainings[leader] = 9
    assert next_repeat(known, trainings, LENGTH, 2) != leader


def test_nobody_races_alone() -> None:
    """Without candidates there is none to train again."""
    assert next_repeat({}, Counter(), LENGTH, LENGTH) is None

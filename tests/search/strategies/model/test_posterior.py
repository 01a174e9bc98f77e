from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.strategies.model.gaussian_process import Scales
from search.strategies.model.posterior import (
    MOST_CANDIDATES,
    Judgement,
    Place,
    Posterior,
    Running,
    estimates,
)

SCALES = Scales()


def _landscape(
    count: int, repeats: int = 1, noise: float = 0.001, folds: int = 1
) -> tuple[list[Judgement], dict[str, Place], dict[str, float]]:
    """Scores, places and true worths of candidates on a line."""
    rng = np.random.default_rng(3)
    worth, places, judgements = {}, {}, []
    difficulty = 0.004 * np.arange(folds)
    for index in range(count):
        key, place = f"c{index}", index / count
        worth[key] = 0.98 + 0.004 * math.sin(5 * place)
        places[key] = Place((place, 8.0), (place, 0.5))
        for repeat in range(repeats):
            fold = (index + repeat) % folds
            score = worth[key] + difficulty[fold] + noise * rng.standard_normal()
            judgements.append(Judgement(key, float(score), fold))
    return judgements, places, worth


def test_nothing_is_known_of_nothing() -> None:
    """Without a score there is no estimate."""
    assert estimates([]) == {}


@pytest.mark.parametrize("score", [math.nan, math.inf])
def test_a_score_that_is_no_number_is_refused(score: float) -> None:
    """The message names the candidate."""
    with pytest.raises(ValueError, match="'c'"):
        estimates([Judgement("c", score)])


@settings(max_examples=25)
@given(st.permutations(_landscape(12, 2, folds=3)[0]))
def test_the_order_of_the_scores_does_not_matter(judgements: list[Judgement]) -> None:
    """The same scores give the same estimates to the last bit."""
    ordered, places, _ = _landscape(12, 2, folds=3)
    assert estimates(judgements, places) == estimates(ordered, places)


def test_many_trainings_speak_for_themselves() -> None:
    """With 50 trainings the mean is the candidate's own, though its neighbours say otherwise."""
    judgements, places, _ = _landscape(20)
    places["odd"] = places["c4"]
    own = [0.970 + 0.001 * (-1) ** repeat for repeat in range(50)]
    known = estimates([*judgements, *(Judgement("odd", each) for each in own)], places)["odd"]
    assert known.repeats == 50
    assert known.mean == pytest.approx(statistics.fmean(own), abs=0.0003)
    assert known.deviation < 0.0005


def test_one_training_is_drawn_towards_the_neighbours() -> None:
    """A single lucky score lies between itself and what candidates around it score."""
    judgements, places, worth = _landscape(30, noise=0.0005)
    lucky = Judgement("lucky", worth["c9"] + 0.003)
    places["lucky"] = places["c9"]
    known = estimates([*judgements, lucky], places)["lucky"]
    assert worth["c9"] < known.mean < lucky.score - 0.001


def test_neighbours_tell_more_than_one_noisy_score() -> None:
    """The estimates are nearer to the truth than the scores themselves."""
    judgements, places, worth = _landscape(60, noise=0.003)
    known = estimates(judgements, places)
    scored = {each.key: each.score for each in judgements}

    def miss(found: dict[str, float]) -> float:
        return statistics.fmean((found[key] - worth[key]) ** 2 for key in worth)

    assert miss({key: each.mean for key, each in known.items()}) < 0.5 * miss(scored)


def test_a_hard_fold_is_no_fault_of_the_candidate() -> None:
    """Candidates that were judged on several folds tell how hard these are, for all others too."""
    rng = np.random.default_rng(1)
    judgements = []
    for index in range(12):
        own = 0.98 + 0.001 * rng.standard_normal()
        for fold, difficulty in enumerate((0.0, -0.01, 0.01)):
            if index < 8 or fold == index % 3:
                judgements.append(Judgement(f"c{index}", own + difficulty, fold))
    known = estimates(judgements)
    assert {each.repeats for each in known.values()} == {1, 3}
    for key in ("c8", "c9", "c10", "c11"):
        assert known[key].mean == pytest.approx(0.98, abs=0.003)


def test_more_trainings_leave_less_doubt() -> None:
    """The standard deviation falls with the trainings of a candidate."""
    judgements, places, _ = _landscape(20)
    before = estimates(judgements, places)["c5"].deviation
    again = [Judgement("c5", judgements[5].score, 0) for _ in range(8)]
    after = estimates([*judgements, *again], places)["c5"].deviation
    assert 0 < after < before


def test_equal_scores_are_no_difficulty() -> None:
    """Where all score the same, every mean is that score."""
    for key, known in estimates([Judgement(str(index), 0.5) for index in range(5)]).items():
        assert known.mean == pytest.approx(0.5), key


def test_a_failed_network_does_not_hide_differences_among_good_ones() -> None:
    """One score of 10 % moves the estimates of the others by little."""
    judgements, places, _ = _landscape(30)
    before = estimates(judgements, places)
    after = estimates(
        [*judgements, Judgement("broken", 0.1)], {**places, "broken": Place((0.5, 8.0), (2.0, 0.5))}
    )
    for key, known in before.items():
        assert after[key].mean == pytest.approx(known.mean, abs=0.001)
    assert after["broken"].mean < min(each.mean for each in before.values())


def test_candidates_beyond_the_model_are_known_too() -> None:
    """With more candidates than the model holds, each has an estimate near its worth."""
    judgements, places, worth = _landscape(MOST_CANDIDATES + 100)
    known = estimates(judgements, places)
    assert known.keys() == worth.keys()
    assert max(abs(known[key].mean - worth[key]) for key in worth) < 0.002


def test_a_running_training_narrows_what_is_open_and_moves_no_mean() -> None:
    """It counts as if it had the expected score, on a new candidate or a known one."""
    judgements, places, _ = _landscape(20)
    posterior = Posterior(judgements, places, SCALES)
    before = posterior.estimates()
    new = Place((0.123, 8.0), (0.123, 0.5))
    posterior.add_running([Running("c3", places["c3"]), Running("new", new)])
    after = posterior.estimates()
    assert after["new"].repeats == 0
    assert after["c3"].deviation < before["c3"].deviation
    for key, known in before.items():
        assert after[key].mean == pytest.approx(known.mean, abs=1e-6)


def test_draws_agree_with_what_is_known() -> None:
    """Draws follow the worths of judged candidates, and vary more where none was judged."""
    judgements, places, worth = _landscape(20, repeats=20)
    posterior = Posterior(judgements, places, SCALES)
    rng = np.random.default_rng(0)
    far = Place((3.0, 8.0), (3.0, 0.5))
    draws = np.array([posterior.draw([*places.values(), far], rng) for _ in range(200)])
    assert np.corrcoef(draws.mean(0)[:-1], list(worth.values()))[0, 1] > 0.95
    assert draws.std(0)[-1] > 2 * draws.std(0)[:-1].max()

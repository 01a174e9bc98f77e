from __future__ import annotations

from typing import Any

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

from search.strategies import by_score
from search.strategies.by_score import ByScore, scored_view
from search.strategies.repaired_tpe import RepairedTPE
from search.strategies.samplers import make_sampler
from tests.search.strategies.problems import DISTRIBUTIONS, finished, run, small_problem


def _study(sampler: BaseSampler, scored: bool, count: int = 30) -> optuna.Study:
    """A study whose scores say the opposite of its values."""
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for index in range(count):
        trial = study.ask(DISTRIBUTIONS)
        if scored:
            trial.set_user_attr("score", 1.0 - trial.params["drop"])
        if index % 7 == 3:
            study.tell(trial, state=TrialState.PRUNED)
        else:
            study.tell(trial, trial.params["drop"])
    return study


def _params(study: optuna.Study) -> list[dict[str, Any]]:
    return [each.params for each in study.trials]


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("random", lambda: RandomSampler(seed=3)),
        ("tpe", lambda: TPESampler(seed=3)),
        ("tpe-repaired", lambda: TPESampler(seed=3)),
    ],
)
def test_studies_without_scores_draw_what_they_always_drew(name: str, plain: Any) -> None:
    """Bit for bit what Optuna's own sampler draws."""
    ours = _study(make_sampler(name, 3), scored=False)
    assert _params(ours) == _params(_study(plain(), scored=False))


def test_scores_rank_trials_where_a_study_has_them() -> None:
    """TPE follows the scores, which here point away from the values."""
    by_value = _study(make_sampler("tpe", 3), scored=False, count=60)
    by_scores = _study(make_sampler("tpe", 3), scored=True, count=60)

    def late(study: optuna.Study) -> float:
        return sum(each.params["drop"] for each in study.trials[30:]) / 30

    assert late(by_scores) < 0.1 < 0.2 < late(by_value)


def test_a_view_changes_nothing_that_is_stored() -> None:
    """The values of the study and its best trial are as before; the view has the scores."""
    study = _study(make_sampler("tpe", 3), scored=True)
    before = [(each.number, each.value, each.state) for each in study.trials]
    view = scored_view(study)
    for trial in view.trials:
        if trial.state is TrialState.COMPLETE:
            assert trial.value == trial.user_attrs["score"] != study.trials[trial.number].value
    assert [(each.number, each.value, each.state) for each in study.trials] == before
    assert view.study_name == study.study_name


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@settings(max_examples=30)
@given(scores=st.lists(st.floats(0, 1), min_size=25, max_size=60), waiting=st.integers(0, 3))
def test_a_sampler_sees_the_best_and_the_latest(
    direction: str, scores: list[float], waiting: int
) -> None:
    """Of more trials than the most, all that wait or run, the best half and the newest others."""
    most = 20
    study = optuna.create_study(direction=direction)
    study.add_trials([_trial(score) for score in scores])
    for _ in range(waiting):
        study.enqueue_trial({"x": 0.5})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(by_score, "MOST_TRIALS", most)
        shown = scored_view(study).get_trials(deepcopy=False)
    done = [each for each in shown if each.state.is_finished()]
    assert len(done) == most
    assert len(shown) - len(done) == waiting
    assert [each.number for each in shown] == sorted(each.number for each in shown)
    ranked = sorted(scores, reverse=direction == "maximize")[: most // 2]
    found = sorted((each.values[0] for each in done), reverse=direction == "maximize")
    assert found[: most // 2] == ranked
    assert {each.number for each in done} >= {*range(len(scores) - most // 2, len(scores))}


def _trial(score: float) -> FrozenTrial:
    space = {"x": optuna.distributions.FloatDistribution(0, 1)}
    return optuna.create_trial(
        params={"x": score}, distributions=space, value=0.0, user_attrs={"score": score}
    )


def test_studies_of_several_objectives_are_left_alone() -> None:
    """A sampler for many objectives works through the wrapper."""
    study = optuna.create_study(
        directions=["maximize", "minimize"], sampler=ByScore(NSGAIISampler(seed=0))
    )
    study.optimize(lambda trial: (trial.suggest_float("x", 0, 1), 0.0), n_trials=5)
    assert scored_view(study) is study


def test_repaired_proposals_are_full_and_stored_so() -> None:
    """All trials use 93 to 100 % of the budget, those of the random start too."""
    problem = small_problem()
    study = run(problem, RepairedTPE(1, problem), 30)
    assert all(0.93 <= problem.describe(each.params).fill <= 1.0 for each in study.trials)
    assert {each.state for each in study.trials} == {TrialState.COMPLETE}


@pytest.mark.parametrize("name", ["tpe-repaired", "ageing", "evolution"])
def test_fixed_parameters_stay_fixed(name: str) -> None:
    """Optuna's sampler of partly fixed parameters works on top of ours, on a known problem."""
    problem = small_problem()
    study = run(problem, make_sampler(name, 1, problem), 14)
    with pytest.warns(optuna.exceptions.ExperimentalWarning):
        fixed = optuna.samplers.PartialFixedSampler({"kernel": 5}, study.sampler)
    run(problem, fixed, 4, study)
    assert [each.params["kernel"] for each in study.trials[-4:]] == [5] * 4


@pytest.mark.parametrize("name", ["random", "tpe", "tpe-repaired", "ageing", "evolution"])
def test_trials_to_begin_with_are_tried_first(name: str) -> None:
    """A queued candidate is trained as it is, over the budget or not."""
    problem = small_problem()
    params = {"first": 24, "second": 32, "third": 3, "kernel": 5, "rate": 0.01, "drop": 0.0}
    study = optuna.create_study(direction="maximize")
    study.enqueue_trial(params)
    run(problem, make_sampler(name, 1, problem), 3, study)
    assert study.trials[0].params == params
    assert study.trials[1].params != params


def test_a_trial_of_an_earlier_range_is_passed_over() -> None:
    """Trials whose parameters the space no longer has are neither parents nor an error."""
    problem = small_problem()
    params = {"first": 8, "second": 8, "third": 3, "kernel": 3, "rate": 0.01, "drop": 0.0}
    narrow = {**DISTRIBUTIONS, "first": optuna.distributions.IntDistribution(90, 99)}
    for name in ("ageing", "evolution"):
        study = optuna.create_study(direction="maximize")
        study.add_trial(finished(params, 0.9, score=0.9, candidate="a"))
        study.add_trial(
            optuna.create_trial(params={**params, "first": 95}, distributions=narrow, value=0.99)
        )
        run(problem, make_sampler(name, 1, problem), 12, study)
        assert all(each.params["first"] <= 24 for each in study.trials[2:])

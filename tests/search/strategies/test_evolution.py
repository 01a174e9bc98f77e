from __future__ import annotations

from collections import Counter
from dataclasses import replace

import optuna
import pytest
from optuna.trial import TrialState

from search.strategies.ageing import AgeingEvolution
from search.strategies.archive import posterior_of
from search.strategies.evolution import Evolution
from search.strategies.genes import Genes
from search.strategies.race import race_length
from search.strategies.repair import is_full
from search.strategies.samplers import make_sampler
from tests.search.strategies.problems import DISTRIBUTIONS, finished, run, small_problem, worth

OURS = [Evolution, AgeingEvolution]


def _keys(study: optuna.Study) -> list[str]:
    return [each.user_attrs["candidate"] for each in study.trials]


@pytest.mark.parametrize("made", OURS)
def test_proposals_are_full_candidates_within_the_distributions(made: type[Evolution]) -> None:
    """Every trial uses 93 to 100 % of the budget, and none is rejected."""
    problem = small_problem()
    study = run(problem, made(1, problem), 40)
    genes = Genes(DISTRIBUTIONS)
    for trial in study.trials:
        assert trial.state is TrialState.COMPLETE
        assert genes.hold(trial.params)
        assert is_full(problem.describe(trial.params))


@pytest.mark.parametrize("made", OURS)
@pytest.mark.parametrize("at", [3, 25, 38])
def test_a_proposal_follows_from_seed_and_stored_trials(made: type[Evolution], at: int) -> None:
    """A sampler made anew goes on as the one that has run from the start."""
    problem = small_problem()
    whole = run(problem, made(5, problem), 40)
    begun = run(problem, made(5, problem), at)
    resumed = run(problem, made(5, problem), 40 - at, begun)
    assert [each.params for each in resumed.trials] == [each.params for each in whole.trials]


@pytest.mark.parametrize("made", OURS)
def test_another_seed_proposes_something_else(made: type[Evolution]) -> None:
    """The start of two searches has no candidate in common."""
    problem = small_problem()
    first, second = (run(problem, made(seed, problem), 6) for seed in (1, 2))
    assert not set(_keys(first)) & set(_keys(second))


def test_the_start_is_spread_over_the_space() -> None:
    """The first candidates lie farther apart than as many random ones."""
    problem, genes = small_problem(), Genes(DISTRIBUTIONS)

    def nearest(study: optuna.Study) -> float:
        points = [genes.encode(each.params) for each in study.trials]
        return min(
            float(((a - b) ** 2).sum()) for i, a in enumerate(points) for b in points[i + 1 :]
        )

    spread = [nearest(run(problem, Evolution(seed, problem), 8)) for seed in range(5)]
    drawn = [nearest(run(problem, AgeingEvolution(seed, problem), 8)) for seed in range(5)]
    assert sum(spread) > 2 * sum(drawn)


@pytest.mark.parametrize("made", OURS)
def test_later_candidates_are_better(made: type[Evolution]) -> None:
    """The last candidates before a race are worth more than the first on average."""
    problem = small_problem()
    first = last = 0.0
    for seed in range(3):
        trials = run(problem, made(seed, problem), 28).trials
        first += sum(worth(each.params) for each in trials[:8])
        last += sum(worth(each.params) for each in trials[-8:])
    assert last > first


def test_the_race_gives_the_leader_its_trainings() -> None:
    """Nothing is repeated before the race; in it the leader is, and few others as often."""
    problem = small_problem(trials=60)
    study = run(problem, Evolution(2, problem), 60)
    breeding = 60 - race_length(60)
    assert len(set(_keys(study)[:breeding])) == breeding
    assert set(_keys(study)[breeding:]) & set(_keys(study)[:breeding])
    trainings = Counter(_keys(study))
    known = posterior_of(study, problem)
    leader = max(known, key=lambda key: known[key].mean)
    assert trainings[leader] >= 4
    assert sum(count >= 4 for count in trainings.values()) <= 4
    assert known[leader].repeats == trainings[leader]


@pytest.mark.parametrize(("seeds", "most"), [(1, 1), (3, 3)])
def test_no_candidate_of_a_counted_space_is_raced_too_often(seeds: int, most: int) -> None:
    """What has had its trainings is not repeated; the rest of the race is bred on."""
    problem = replace(small_problem(trials=60), candidates={"": {}}, seeds=seeds)
    study = run(problem, Evolution(2, problem), 60)
    assert max(Counter(_keys(study)).values()) == most


def test_a_larger_total_returns_to_breeding() -> None:
    """After the race more trials are asked for, and new candidates come before the next race."""
    study = run(small_problem(trials=30), Evolution(2, small_problem(trials=30)), 30)
    problem = small_problem(trials=80)
    run(problem, Evolution(3, problem), 20, study)
    keys = _keys(study)
    assert len(set(keys[30:])) == 20
    assert not set(keys[30:]) & set(keys[:30])


def test_a_running_trial_of_another_worker_is_not_proposed_again() -> None:
    """Two workers that ask at once, even with one seed, train two candidates."""
    problem = small_problem()
    study = run(problem, Evolution(1, problem), 15)
    asked = []
    for _ in range(3):
        study.sampler = Evolution(1, problem)
        trial = study.ask(dict(problem.distributions))
        trial.set_user_attr("candidate", problem.describe(trial.params).key)
        asked.append(trial.user_attrs["candidate"])
    assert len({*_keys(study)[:15], *asked}) == 18


def test_trials_that_were_never_trained_count_for_nothing() -> None:
    """Rejected and interrupted trials neither fill the start nor bring the race nearer."""
    problem = small_problem()
    one = run(problem, Evolution(1, problem), 8)
    params = one.trials[0].params
    for outcome, state in (("rejected", TrialState.PRUNED), ("interrupted", TrialState.FAIL)):
        for _ in range(40):
            one.add_trial(
                optuna.create_trial(
                    params=params,
                    distributions=DISTRIBUTIONS,
                    state=state,
                    user_attrs={"outcome": outcome},
                )
            )
    run(problem, Evolution(1, problem), 1, one)
    assert one.trials[-1].user_attrs["candidate"] not in _keys_of_first(one, 8)


def _keys_of_first(study: optuna.Study, count: int) -> set[str]:
    return {each.user_attrs["candidate"] for each in study.trials[:count]}


@pytest.mark.parametrize("name", ["ageing", "evolution"])
def test_an_exhausted_space_is_no_error(name: str) -> None:
    """Where everything was tried, candidates come again."""
    space = {"x": optuna.distributions.CategoricalDistribution([0, 1])}
    study = optuna.create_study(direction="minimize", sampler=make_sampler(name, 0))
    for _ in range(25):
        trial = study.ask(space)
        study.tell(trial, float(trial.params["x"]))
    assert {each.params["x"] for each in study.trials} == {0, 1}


def test_minimising_works_as_maximising() -> None:
    """In a study that minimises, later values are lower."""
    study = optuna.create_study(sampler=Evolution(0))

    def objective(trial: optuna.Trial) -> float:
        return (trial.suggest_float("x", -1, 1) - 0.4) ** 2 + 0.1 * trial.suggest_int("y", 0, 5)

    study.optimize(objective, n_trials=40)
    values = [each.values[0] for each in study.trials]
    assert sum(values[-12:]) < 0.5 * sum(values[:12])
    known = posterior_of(study)
    assert min(each.mean for each in known.values()) < 0.05


@pytest.mark.parametrize("name", ["ageing", "evolution", "tpe", "tpe-repaired", "random"])
def test_a_diverged_training_is_not_a_good_one(name: str) -> None:
    """Trials without a score are read, whatever was stored of them."""
    problem = small_problem()
    study = run(problem, make_sampler(name, 1, problem), 22)
    params = study.trials[3].params
    for outcome in ("diverged", "out-of-memory", "pruned"):
        study.add_trial(
            optuna.create_trial(
                params=params,
                distributions=DISTRIBUTIONS,
                state=TrialState.PRUNED,
                user_attrs={"outcome": outcome},
            )
        )
    study.add_trial(finished(params, 0.5, candidate="c", score=float("nan")))
    run(problem, make_sampler(name, 1, problem), 2, study)


@pytest.mark.parametrize("outcome", ["diverged", "out-of-memory"])
def test_a_candidate_whose_training_broke_off_is_among_the_worst(outcome: str) -> None:
    """It counts as the worst that did not, whatever it promised; a pruned one says nothing."""
    problem = small_problem()
    study = run(problem, AgeingEvolution(1, problem), 22)
    first = posterior_of(study, problem)
    best = max(study.trials, key=lambda each: first[each.user_attrs["candidate"]].mean)
    params = {**best.params, "rate": best.params["rate"] * 1.001}
    key = problem.describe(params).key
    for ended in ("pruned", outcome):
        study.add_trial(
            optuna.create_trial(
                params=params,
                distributions=DISTRIBUTIONS,
                state=TrialState.PRUNED,
                user_attrs={"outcome": ended},
            )
        )
        known = posterior_of(study, problem)
        assert (key in known) == (ended != "pruned")
    ranked = sorted(known, key=lambda each: known[each].mean)
    assert known[key].mean < known[ranked[len(ranked) // 2]].mean

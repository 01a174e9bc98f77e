from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import RandomSampler
from optuna.trial import FrozenTrial, TrialState

from search.storage.optuna_private import HookedStorage
from search.strategies.archive import posterior_of
from search.strategies.by_limit import ByLimit, WithinLimit
from search.strategies.problem import LIMIT, Problem, Proposal
from search.strategies.pruners import PRUNERS, make_pruner
from search.strategies.samplers import SAMPLERS, make_sampler
from tests.search.strategies.problems import DISTRIBUTIONS, parameters, run, small_problem

LIMITS = (1_000, 2_000, 5_000)


def _problem(trials: int) -> Problem:
    """The small problem with three limits."""

    def describe(params: Mapping[str, Any]) -> Proposal:
        own = {name: value for name, value in params.items() if name != LIMIT}
        assert own.keys() == DISTRIBUTIONS.keys()
        count, limit = parameters(own), params[LIMIT]
        features = (math.log(count), float(own["kernel"]))
        key = repr(sorted(own.items()))
        return Proposal(key, count <= limit, count / limit, features, count, limit)

    plain = small_problem(trials=trials)
    distributions = {LIMIT: CategoricalDistribution(LIMITS), **plain.distributions}
    return replace(plain, distributions=distributions, describe=describe, limits=LIMITS)


def _searched(name: str, trials: int) -> tuple[Problem, optuna.Study]:
    problem = _problem(trials)
    study = optuna.create_study(direction="maximize")
    sampler = make_sampler(name, 3, problem)
    while sum(trial.state is TrialState.COMPLETE for trial in study.trials) < trials:
        run(problem, sampler, 1, study)
    return problem, study


@pytest.mark.parametrize("name", SAMPLERS)
def test_each_limit_has_its_share(name: str) -> None:
    """Counts of trained trials differ by one at most, whatever is rejected under which limit."""
    _, study = _searched(name, 31)
    trained = Counter(
        trial.params[LIMIT] for trial in study.trials if trial.state is TrialState.COMPLETE
    )
    assert sorted(trained.values()) == [10, 10, 11]


@pytest.mark.parametrize("name", ["tpe-repaired", "ageing", "evolution"])
def test_proposals_are_repaired_towards_their_own_limit(name: str) -> None:
    """What is new uses its own limit and no more, under the smallest as under the largest."""
    problem, study = _searched(name, 30)
    found = [problem.describe(trial.params) for trial in study.trials]
    assert all(each.fits for each in found)
    new = [each for n, each in enumerate(found) if each.key not in {e.key for e in found[:n]}]
    assert len(new) >= 15
    # With a kernel of 5 some of these widths leave 8 % of the smallest limit.
    assert sum(each.fill >= 0.9 for each in new) >= 0.9 * len(new)


def test_evolution_races_in_each_limit() -> None:
    """The last trials repeat candidates, and in each limit some that fit it."""
    problem, study = _searched("evolution", 60)
    seen: set[str] = set()
    repeats: Counter[int] = Counter()
    for trial in study.trials:
        key = problem.describe(trial.params).key
        repeats[trial.params[LIMIT]] += key in seen
        seen.add(key)
    assert all(repeats[limit] >= 2 for limit in LIMITS)


def test_the_race_of_each_limit_is_its_share_of_the_trials() -> None:
    """The leader of each limit has five trainings at the end, as that of a study with one."""
    problem, study = _searched("evolution", 75)
    found = [problem.describe(trial.params) for trial in study.trials]
    trainings = Counter(each.key for each in found)
    sizes = {each.key: each.parameters or 0 for each in found}
    known = posterior_of(study, problem)
    for limit in LIMITS:
        fitting = [key for key in known if sizes[key] <= limit]
        leader = max(fitting, key=lambda key: known[key].mean)
        assert trainings[leader] >= 5


class _Shown(RandomSampler):
    """A sampler that keeps the numbers of the trials that it is shown."""

    def __init__(self) -> None:
        super().__init__(seed=0)
        self.numbers: set[int] = set()

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        self.numbers = {each.number for each in study.get_trials() if each.number != trial.number}
        return {}


def test_a_sampler_of_optunas_sees_what_fits_its_limit() -> None:
    """Of other limits it is shown what was trained and fits, of its own what was rejected too."""
    problem, shown = _problem(9), _Shown()
    params = {"first": 8, "second": 8, "third": 3, "kernel": 3, "rate": 0.01, "drop": 0.0}
    study = optuna.create_study(
        direction="maximize", sampler=ByLimit(lambda seed, within: shown, 0, problem)
    )
    for limit, size, outcome in (
        (1_000, 900, "complete"),
        (2_000, 1_900, "complete"),
        (5_000, 1_500, "complete"),
        (5_000, 4_900, "complete"),
        (5_000, 1_400, "interrupted"),
        (2_000, 2_100, "rejected"),
        (1_000, 800, "complete"),
        (1_000, 1_900, "rejected"),
        (5_000, 800, "pruned"),
    ):
        study.add_trial(
            optuna.create_trial(
                params={**params, LIMIT: limit},
                distributions=dict(problem.distributions),
                value=0.9 if outcome == "complete" else None,
                state=TrialState.COMPLETE if outcome == "complete" else TrialState.PRUNED,
                user_attrs={"cost": {"parameters": size}, "outcome": outcome},
            )
        )
    trial = study.ask(dict(problem.distributions))
    assert trial.params[LIMIT] == 2_000
    assert shown.numbers == {0, 1, 2, 5, 6, 8}


@pytest.mark.parametrize("name", sorted(PRUNERS.keys() - {"none"}))
def test_a_pruner_compares_within_one_limit(name: str) -> None:
    """A poor trial among better ones of another limit goes on; among its own it is stopped."""
    found = {}
    for others in LIMITS[1:]:
        storage = optuna.storages.InMemoryStorage()
        pruner = WithinLimit(make_pruner(name, 9), storage)
        study = optuna.create_study(
            study_name="one", storage=storage, direction="maximize", pruner=pruner
        )
        stopped = False
        for number in range(60):
            study.enqueue_trial({LIMIT: others})
            trial = study.ask()
            trial.suggest_categorical(LIMIT, LIMITS)
            for epoch in range(9):
                trial.report(0.9 + number / 1_000, epoch)
                trial.should_prune()
            study.tell(trial, 0.9 + number / 1_000)
        before = [trial.system_attrs for trial in study.get_trials() if trial.number < 60]
        for _ in range(8):
            study.enqueue_trial({LIMIT: LIMITS[2]})
            trial = study.ask()
            trial.suggest_categorical(LIMIT, LIMITS)
            for epoch in range(8):
                trial.report(0.1, epoch)
                stopped = stopped or trial.should_prune()
            if stopped:
                break
            study.tell(trial, 0.1)
        found[others] = stopped
        assert [trial.system_attrs for trial in study.get_trials() if trial.number < 60] == before
        assert len(study.get_trials()) > 60
    assert found == {LIMITS[1]: False, LIMITS[2]: True}


def test_a_pruner_does_not_read_finished_trials_again(tmp_path: Path) -> None:
    """From a database each of them is read once, however many epochs are reported."""
    storage = _ReadsCounted(f"sqlite:///{tmp_path / 'study.db'}")
    pruner = WithinLimit(make_pruner("median", 9), storage)
    study = optuna.create_study(
        study_name="one", storage=storage, direction="maximize", pruner=pruner
    )
    for _ in range(12):
        trial = study.ask({LIMIT: CategoricalDistribution(LIMITS[:1])})
        trial.report(0.9, 0)
        study.tell(trial, 0.9)
    trial = study.ask({LIMIT: CategoricalDistribution(LIMITS[:1])})
    study.get_trials()
    storage.finished = 0
    for epoch in range(8):
        trial.report(0.1, epoch)
        trial.should_prune()
    assert storage.finished == 0


class _ReadsCounted(HookedStorage):
    """A database that counts the finished trials that are read from it."""

    finished = 0

    def _get_trials(self, *arguments: Any, **named: Any) -> list[FrozenTrial]:
        found = super()._get_trials(*arguments, **named)
        self.finished += sum(trial.state.is_finished() for trial in found)
        return found

"""Studies with several limits on parameters: each limit has its share of the trials."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Sequence
from typing import Any, cast

import numpy as np
import optuna
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from search.strategies.archive import is_untrained
from search.strategies.by_score import ScoredStudy, whole_proposal
from search.strategies.problem import LIMIT, Problem
from search.strategies.strategy import Strategy

__all__ = ["ByLimit", "WithinLimit"]


class ByLimit(BaseSampler):
    """A sampler for each limit, which take turns.

    The limit with the fewest trained trials is next. Our own samplers see all trials, whose
    candidates fit their limit or do not; Optuna's see those of their own limit, and those of other
    limits that fit it.

    Args:
        make: makes the sampler of one limit from a seed and the study as that limit sees it.
        seed: 0 to 2**32 - 1.
        problem: with several limits.
    """

    def __init__(
        self, make: Callable[[int, Problem], BaseSampler], seed: int, problem: Problem
    ) -> None:
        self._problem = problem
        seeds = np.random.SeedSequence(seed).generate_state(len(problem.limits))
        self._samplers = {
            limit: make(int(each), problem.within(limit))
            for limit, each in zip(problem.limits, seeds, strict=True)
        }

    def __str__(self) -> str:
        return str(self._samplers[self._problem.limits[0]])

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return all parameters, which are proposed together."""
        return dict(self._problem.distributions)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Propose a candidate for the limit whose turn it is."""
        trials = study.get_trials(deepcopy=False)
        limit = self._due(trials, trial.number)
        sampler = self._samplers[limit]
        if not isinstance(sampler, Strategy):
            shown = [each for each in trials if _concerns(each, limit)]
            study = cast(Study, ScoredStudy(study, shown))
        others = {name: each for name, each in search_space.items() if name != LIMIT}
        params = whole_proposal(sampler, study, trial, others)
        return {**params, LIMIT: limit}

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Return a value of a parameter that is not proposed with the others."""
        sampler = self._samplers[self._problem.limits[0]]
        return sampler.sample_independent(study, trial, param_name, param_distribution)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Tell all samplers that a trial begins."""
        for sampler in self._samplers.values():
            sampler.before_trial(study, trial)

    def after_trial(
        self,
        study: Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """Tell all samplers that a trial has ended."""
        for sampler in self._samplers.values():
            sampler.after_trial(study, trial, state, values)

    def _due(self, trials: Sequence[FrozenTrial], but: int) -> int:
        """Return the limit with the fewest trials that were trained or run; the smallest first."""
        counts = Counter(
            each.params.get(LIMIT)
            for each in trials
            if each.number != but and each.state is not TrialState.FAIL and not is_untrained(each)
        )
        return min(self._problem.limits, key=lambda limit: counts[limit])


def _concerns(trial: FrozenTrial, limit: int) -> bool:
    """Return whether a trial is one of a limit, or its candidate fits it and was not rejected."""
    if trial.params.get(LIMIT) == limit:
        return True
    parameters = trial.user_attrs.get("cost", {}).get("parameters")
    if parameters is None or is_untrained(trial):
        return False
    return bool(parameters <= limit)


class WithinLimit(BasePruner):
    """A pruner that compares a trial with those of its own limit alone.

    Args:
        pruner: any of Optuna's.
        storage: of the study. What is stored does not change.
    """

    def __init__(self, pruner: BasePruner, storage: BaseStorage) -> None:
        self._pruner, self._storage = pruner, storage

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Return whether the trial is to be stopped."""
        storage = cast(BaseStorage, _OneLimit(self._storage, study, trial.params.get(LIMIT)))
        view = optuna.Study(study.study_name, storage, study.sampler, self._pruner)
        return self._pruner.prune(view, trial)


class _OneLimit:
    """A storage that shows the trials of one limit alone."""

    def __init__(self, storage: BaseStorage, study: Study, limit: int | None) -> None:
        self._storage, self._study, self._limit = storage, study, limit

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        """Return the trials of the limit."""
        # The study keeps finished trials in memory; the storage would read all of them again.
        found = self._study.get_trials(deepcopy, states)
        return [each for each in found if each.params.get(LIMIT) == self._limit]

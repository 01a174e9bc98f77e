"""Small spaces, whose candidates can be counted: none is trained more often than is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from search.strategies.problem import Problem

__all__ = ["Counted"]

_UNTRAINED = ("rejected", "interrupted")


class Counted(BaseSampler):
    """A sampler whose proposals are replaced once a candidate has had all of its trainings.

    Args:
        sampler: proposes.
        problem: with its candidates.
        seed: chooses the replacement, a candidate that was trained least.
    """

    def __init__(self, sampler: BaseSampler, problem: Problem, seed: int) -> None:
        self._sampler, self._problem, self._seed = sampler, problem, seed

    def __str__(self) -> str:
        return str(self._sampler)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return all parameters, which are proposed together."""
        return dict(self._problem.distributions)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Propose a candidate that may still be trained, if there is one."""
        own = self._sampler.infer_relative_search_space(study, trial)
        params = self._sampler.sample_relative(study, trial, own)
        for name, distribution in self._problem.distributions.items():
            if name not in params:
                params[name] = self._sampler.sample_independent(study, trial, name, distribution)
        found = self._problem.describe(params)
        trainings = self._trainings(study.get_trials(deepcopy=False), trial.number)
        if not found.fits or trainings[found.key] < self._problem.seeds:
            return params
        left = self._least(trainings)
        if not left:
            return params
        rng = np.random.default_rng((self._seed, trial.number))
        return dict(left[int(rng.integers(len(left)))])

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Return the sampler's value of one parameter."""
        return self._sampler.sample_independent(study, trial, param_name, param_distribution)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Tell the sampler that a trial begins."""
        self._sampler.before_trial(study, trial)

    def after_trial(
        self,
        study: Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """Tell the sampler that a trial has ended."""
        self._sampler.after_trial(study, trial, state, values)

    def _trainings(self, trials: Sequence[FrozenTrial], but: int) -> Counter[str]:
        """Count the trainings of each candidate, those in progress included."""
        return Counter(
            str(each.user_attrs["candidate"])
            for each in trials
            if each.number != but
            and "candidate" in each.user_attrs
            and each.user_attrs.get("outcome") not in _UNTRAINED
            and each.state is not TrialState.FAIL
        )

    def _least(self, trainings: Counter[str]) -> list[Mapping[str, Any]]:
        """Return the candidates that were trained least, if that is less than they may be."""
        candidates = self._problem.candidates or {}
        least = min((trainings[key] for key in candidates), default=self._problem.seeds)
        if least >= self._problem.seeds:
            return []
        return [params for key, params in candidates.items() if trainings[key] == least]

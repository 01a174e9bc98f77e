"""Optuna's TPE, whose proposals are moved to the limits of the budget."""

from __future__ import annotations

from typing import Any

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial

from search.strategies.by_score import ByScore
from search.strategies.genes import Genes
from search.strategies.problem import Problem
from search.strategies.repair import repaired

__all__ = ["RepairedTPE"]

_ATTEMPTS = 10


class RepairedTPE(ByScore):
    """The tree-structured Parzen estimator, with repair inside.

    What is stored is what was trained, so that the estimator learns from repaired candidates.

    Args:
        seed: 0 to 2**32 - 1.
        problem: the study; without one this is Optuna's TPE.
    """

    def __init__(self, seed: int, problem: Problem | None = None) -> None:
        super().__init__(TPESampler(seed=seed))
        self._seed, self._problem = seed, problem

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return all parameters, which are proposed together."""
        if self._problem is None:
            return super().infer_relative_search_space(study, trial)
        return _free(self._problem)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Propose a candidate at the limits of the budget, if one is drawn in ten attempts."""
        problem = self._problem
        if problem is None or search_space.keys() != _free(problem).keys():
            return super().sample_relative(study, trial, search_space)
        rng = np.random.default_rng((self._seed, trial.number))
        genes = Genes(problem.distributions)
        for _ in range(_ATTEMPTS):
            drawn = super().sample_relative(study, trial, search_space)
            params, proposal = repaired(problem, {**genes.draw(rng), **drawn})
            if proposal.fits:
                break
        return {name: params[name] for name in search_space}


def _free(problem: Problem) -> dict[str, BaseDistribution]:
    return {name: each for name, each in problem.distributions.items() if not each.single()}

"""Small spaces, whose candidates can be counted: none is trained more often than is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from search.strategies.archive import is_untrained
from search.strategies.by_score import Wrapping, whole_proposal
from search.strategies.problem import Problem

__all__ = ["Counted", "trainings_of"]

_REJECTIONS = 100
"""After so many rejections in a row a candidate is proposed that is known to fit."""


def trainings_of(trials: Iterable[FrozenTrial], but: int = -1) -> Counter[str]:
    """Count the trainings of each candidate, those in progress included.

    Args:
        trials: of a study.
        but: the number of the trial that is asking.
    """
    return Counter(
        str(each.user_attrs["candidate"])
        for each in trials
        if each.number != but
        and "candidate" in each.user_attrs
        and not is_untrained(each)
        and each.state is not TrialState.FAIL
    )


class Counted(Wrapping):
    """A sampler whose proposals are replaced once a candidate has had all of its trainings.

    So are those that do not fit, where a hundred before did not.

    Args:
        sampler: proposes.
        problem: with its candidates.
        seed: chooses the replacement, a candidate that was trained least.
    """

    def __init__(self, sampler: BaseSampler, problem: Problem, seed: int) -> None:
        super().__init__(sampler)
        self._problem, self._seed = problem, seed

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return all parameters, which are proposed together."""
        return dict(self._problem.distributions)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Propose a candidate that may still be trained, if there is one."""
        params = whole_proposal(self._sampler, study, trial, self._problem.distributions)
        found = self._problem.describe(params)
        # Hyperband shows a sampler a part of the trials; ``_get_trials`` has all of them.
        trials = study._get_trials(deepcopy=False)
        trainings = trainings_of(trials, trial.number)
        if found.fits and trainings[found.key] < self._problem.seeds:
            return params
        if not found.fits and not _rejects_on(trials, trial.number):
            return params
        left = self._least(trainings)
        if not left:
            return params
        rng = np.random.default_rng((self._seed, trial.number))
        return dict(left[int(rng.integers(len(left)))])

    def _least(self, trainings: Counter[str]) -> list[Mapping[str, Any]]:
        """Return the candidates that were trained least, if that is less than they may be."""
        candidates = self._problem.candidates or {}
        least = min((trainings[key] for key in candidates), default=self._problem.seeds)
        if least >= self._problem.seeds:
            return []
        return [params for key, params in candidates.items() if trainings[key] == least]


def _rejects_on(trials: Sequence[FrozenTrial], but: int) -> bool:
    """Return whether the last trials, as many as are enough, were all rejected."""
    last = [each for each in trials if each.number != but][-_REJECTIONS:]
    return len(last) == _REJECTIONS and all(
        each.user_attrs.get("outcome") == "rejected" for each in last
    )

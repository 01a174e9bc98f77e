"""Breed candidates by a smooth model of all scores, then race the best."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from search.strategies.archive import Entry
from search.strategies.genes import Params
from search.strategies.model.gaussian_process import Scales
from search.strategies.model.posterior import Judgement, Place, Posterior, likely_scales
from search.strategies.problem import Problem
from search.strategies.race import next_repeat, race_length
from search.strategies.strategy import Search, Strategy

__all__ = ["Evolution"]

_LEAST_START, _START_SHARE = 8, 7
"""A seventh of all trials, and at least 8, are spread over the space."""

_START_WITHOUT_TOTAL = 12
_POOL = 16
"""Of so many random candidates that lies farthest from all earlier ones which is tried next."""

_PARENTS = 5
"""The parent is one of so many candidates with the best expected scores."""

_MUTANTS = 40

_REFIT = 10
"""The scales of the model are fitted anew after so many more scores."""

_RANDOM_SHARE = 0.1


class Evolution(Strategy):
    """Spread, breed, race.

    The first seventh of the trials is spread over the space. Then each proposal is the most
    promising of many mutants of a good candidate, by a draw from the posterior of a Gaussian model
    that pools the noise of all trials (``search.strategies.model``). The last 28 % train the best
    candidates again, with other seeds and on other folds, until the best is known; what is left is
    bred on.
    """

    def __init__(self, seed: int, problem: Problem | None = None) -> None:
        super().__init__(seed, problem)
        self._fitted: tuple[list[Judgement], Scales] | None = None

    def propose(self, search: Search) -> Params:
        """Return the next candidate or, in the race, an earlier one."""
        archive, problem = search.archive, search.problem
        start = (
            max(_LEAST_START, problem.trials // _START_SHARE) if problem else _START_WITHOUT_TOTAL
        )
        if archive.trained < start or not search.parents():
            return self._far(search).params
        posterior = self._posterior(search)
        if problem is not None:
            length = race_length(problem.trials)
            if problem.trials - length <= archive.trained < problem.trials:
                fitting = {each.key for each in search.parents()}
                known = {key: each for key, each in posterior.estimates().items() if key in fitting}
                limits = max(1, len(problem.limits))
                left = -(-(problem.trials - archive.trained) // limits)
                trainings = archive.trainings
                again = next_repeat(known, trainings, length // limits, left)
                # Of a counted space, one that has had its trainings would be replaced at random.
                may_repeat = problem.candidates is None or trainings[str(again)] < problem.seeds
                if again is not None and may_repeat:
                    return archive.entries[again].params
        if search.rng.random() < _RANDOM_SHARE:
            return search.random().params
        return self._bred(search, posterior).params

    def _far(self, search: Search) -> Entry:
        """Return the one of some random candidates that is farthest from all earlier ones."""
        earlier = list(search.archive.entries.values())
        if not earlier:
            return search.random()
        drawn = [search.random() for _ in range(_POOL)]
        pool = [each for each in drawn if each.fits] or drawn
        points = _rows([each.place for each in (*earlier, *pool)])
        old, new = points[: len(earlier)], points[len(earlier) :]
        distances = ((new[:, None, :] - old[None, :, :]) ** 2).sum(2).min(1)
        return pool[int(distances.argmax())]

    def _posterior(self, search: Search) -> Posterior:
        archive = search.archive
        judgements, places = archive.judgements, archive.places
        settled = judgements[: len(judgements) - len(judgements) % _REFIT] or judgements
        if self._fitted is None or self._fitted[0] != settled:
            self._fitted = settled, likely_scales(settled, places)
        posterior = Posterior(judgements, places, self._fitted[1])
        posterior.add_running(archive.running)
        return posterior

    def _bred(self, search: Search, posterior: Posterior) -> Entry:
        """Return the most promising mutant of a good candidate."""
        known, rng = posterior.estimates(), search.rng
        parents = sorted(search.parents(), key=lambda each: -known[each.key].mean)[:_PARENTS]
        drawn = [
            known[each.key].mean + known[each.key].deviation * rng.standard_normal()
            for each in parents
        ]
        parent = parents[int(np.argmax(drawn))]
        mutants: dict[str, Entry] = {}
        for _ in range(_MUTANTS):
            mutant = search.mutant(parent.params)
            if mutant.fits and mutant.key not in search.archive.entries:
                mutants.setdefault(mutant.key, mutant)
        if not mutants:
            return search.random()
        pool = list(mutants.values())
        promise = posterior.draw([each.place for each in pool], rng)
        return pool[int(promise.argmax())]


def _rows(places: list[Place]) -> NDArray[np.float64]:
    """Return features and genes of each place, both of equal weight in all."""
    features = np.array([each.features for each in places], dtype=np.float64)
    genes = np.array([each.genes for each in places], dtype=np.float64)
    if not features.size:
        return genes
    features = (features - features.mean(0)) / np.maximum(features.std(0), 1e-9)
    features /= np.sqrt(2.0 * features.shape[1])
    if not genes.size:
        return np.asarray(features)
    return np.concatenate([features, genes / np.sqrt(genes.shape[1] / 3.0)], axis=1)

"""Evolution in which the oldest die (Real et al., 2019, arXiv 1802.01548)."""

from __future__ import annotations

from search.strategies.genes import Params
from search.strategies.strategy import Search, Strategy

__all__ = ["AgeingEvolution"]

_POPULATION = 20
_TOURNAMENT = 6
_ATTEMPTS = 20


class AgeingEvolution(Strategy):
    """Regularised evolution: a child of the best of a few of the youngest candidates.

    The population is the last 20 complete trials; the parent is the best of 6 of them that were
    drawn at random; the child has one or two of its parameters changed.
    """

    def propose(self, search: Search) -> Params:
        """Return a random candidate while the population is not full, then a child."""
        entries = search.archive.entries
        living = [each for each in search.archive.judgements if entries[each.key].fits][
            -_POPULATION:
        ]
        if search.archive.trained < _POPULATION or not living:
            return search.random().params
        count = min(_TOURNAMENT, len(living))
        drawn = [living[index] for index in search.rng.choice(len(living), count, replace=False)]
        parent = entries[max(drawn, key=lambda each: each.score).key]
        for _ in range(_ATTEMPTS):
            child = search.mutant(parent.params)
            if child.fits and child.key not in entries:
                return child.params
        return search.random().params

"""Which candidate to train once more, when the best are close and each training is noisy."""

from __future__ import annotations

import math
from collections.abc import Mapping

from search.strategies.model.posterior import Estimate

__all__ = ["next_repeat", "race_length"]

_SHARE = 0.28
_LEAST_TRIALS = 12

_SECOND, _FOURTH = 0.25, 0.15
"""How many candidates get a second, and a third and fourth, training: shares of the race."""

_ENOUGH = 5
"""The leader has at least so many trainings at the end."""

_REACH = 2.0
"""A rival is out of reach if it is behind by so many standard deviations."""


def race_length(trials: int) -> int:
    """Return how many of a study's trials repeat candidates; none in the smallest studies."""
    return int(_SHARE * trials) if trials >= _LEAST_TRIALS else 0


def next_repeat(
    known: Mapping[str, Estimate], trainings: Mapping[str, int], length: int, left: int
) -> str | None:
    """Return the key of the candidate to train again; None when the leader is known.

    First the best get a second training, and the best of these a third and fourth. Then each
    training goes where it is likeliest to change the choice: to candidates that are close to the
    leader and uncertain (optimal computing budget allocation, Chen et al., 2000). The last ones
    are the leader's, if it would else have too few.

    Args:
        known: what is known of the candidates.
        trainings: of each candidate, those in progress included.
        length: of the whole race, in trainings.
        left: of these, this one included.
    """
    ranked = sorted(known, key=lambda key: (-known[key].mean, key))
    for wanted, share in ((2, _SECOND), (3, _FOURTH), (4, _FOURTH)):
        for key in ranked[: max(2, round(share * length))]:
            if trainings[key] < wanted:
                return key
    if not ranked:
        return None
    leader, rivals = ranked[0], ranked[1:]
    if left <= _ENOUGH - trainings[leader]:
        return leader

    def gap(key: str) -> float:
        return known[leader].mean - known[key].mean

    def spread(key: str) -> float:
        return math.hypot(known[leader].deviation, known[key].deviation)

    if trainings[leader] >= _ENOUGH and all(gap(key) > _REACH * spread(key) for key in rivals):
        return None

    def use(key: str) -> float:
        deviation = known[key].deviation
        if deviation == 0.0:
            return 0.0
        likely = math.exp(-(gap(key) ** 2) / (2.0 * deviation**2))
        return deviation * likely / math.sqrt(trainings[key] + 1)

    best = max(ranked, key=use)
    return leader if use(best) == 0.0 else best

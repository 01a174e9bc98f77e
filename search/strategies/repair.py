"""Widen or narrow a candidate until it uses its budget and no more."""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection
from itertools import count
from typing import Any, cast

from optuna.distributions import IntDistribution

from search.strategies.genes import Params, on_grid
from search.strategies.problem import Fill, Problem, Proposal

__all__ = ["FULL", "is_full", "repaired"]

FULL = 0.93
"""A repaired candidate uses at least this share of the limit that binds it."""

_HALVINGS = 12
_MOST_TRIES = 300
"""How many settings of the widths are tried one step at a time, after the common factor."""


def is_full(proposal: Proposal | Fill) -> bool:
    """Return whether a candidate fits its budget and uses 93 to 100 % of it."""
    return proposal.fits and FULL <= proposal.fill <= 1.0


def repaired(
    problem: Problem, params: Params, keep: Collection[str] = ()
) -> tuple[Params, Proposal]:
    """Move the widths of a candidate until it uses 93 to 100 % of the limit that binds it.

    First all widths are multiplied by one factor, so that the proportions stay; then single
    widths move by single steps.

    Args:
        problem: the study; where it wants no repair, or sets no limit, nothing moves.
        params: all parameters of the candidate.
        keep: widths that stay as they are, unless the others do not suffice.

    Returns:
        The parameters and what they mean. Where no setting of the widths was found in that range:
        the one that fits and uses most, else the parameters as they came.
    """
    first = problem.fill(params)
    if not problem.repair or is_full(first) or not 0 < first.fill < math.inf:
        return params, problem.describe(params)
    widths = [name for name in problem.widths if not problem.distributions[name].single()]
    free = [name for name in widths if name not in keep]
    best = _Best(problem, params, first)
    for names in [free, widths] if len(free) < len(widths) else [widths]:
        if names and not best.found:
            _scale(best, params, names)
            _step(best, names)
    return best.params, problem.describe(best.params)


class _Best:
    """The best setting so far."""

    def __init__(self, problem: Problem, params: Params, fill: Fill) -> None:
        self.problem, self.params, self._fill = problem, params, fill
        self._seen: dict[tuple[Any, ...], Fill] = {}

    @property
    def found(self) -> bool:
        return is_full(self._fill)

    def look(self, params: Params) -> Fill:
        """Measure a setting and keep it if it is the best."""
        key = tuple(params[name] for name in self.problem.widths)
        if key not in self._seen:
            self._seen[key] = fill = self.problem.fill(params)
            if _rank(fill) > _rank(self._fill):
                self.params, self._fill = params, fill
        return self._seen[key]

    def distribution(self, name: str) -> IntDistribution:
        return cast(IntDistribution, self.problem.distributions[name])


def _rank(found: Fill) -> tuple[bool, float]:
    return (found.fits, found.fill if found.fits else -found.fill)


def _scale(best: _Best, params: Params, names: list[str]) -> None:
    """Look for the factor by which all widths are multiplied, by bisection."""
    reach = [
        ratio
        for name in names
        for ratio in (
            best.distribution(name).low / params[name] if params[name] else 1.0,
            best.distribution(name).high / params[name] if params[name] else 1.0,
        )
        if ratio > 0
    ]
    if best.look(params).fill < FULL:
        low, high = 0.0, math.log(max(reach, default=1.0))
    else:
        low, high = math.log(min(reach, default=1.0)), 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        scaled = dict(params)
        for name in names:
            scaled[name] = on_grid(best.distribution(name), params[name] * math.exp(middle))
        if best.found:
            return
        if best.look(scaled).fill > 1.0:
            high = middle
        else:
            low = middle


def _step(best: _Best, names: list[str]) -> None:
    """Look for the last steps, nearest to the range first."""
    order = count()
    start = best.params
    fringe = [(_distance(best.look(start)), next(order), start)]
    known = {tuple(start[name] for name in names)}
    tries = 0
    while fringe and not best.found and tries < _MOST_TRIES:
        _, _, params = heapq.heappop(fringe)
        up = best.look(params).fill < FULL
        for name in names:
            distribution = best.distribution(name)
            for sign in (1, -1) if up else (-1, 1):
                value = params[name] + sign * distribution.step
                if not distribution.low <= value <= distribution.high:
                    continue
                moved = {**params, name: value}
                key = tuple(moved[each] for each in names)
                if key in known:
                    continue
                known.add(key)
                tries += 1
                found = best.look(moved)
                if best.found:
                    return
                if found.fill < math.inf:
                    heapq.heappush(fringe, (_distance(found), next(order), moved))


def _distance(found: Fill) -> float:
    middle = (1.0 + FULL) / 2
    return abs(math.log(found.fill / middle)) if found.fill > 0 else math.inf

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

_SECANTS = 5
_GROWTH = 1.5
"""Costs grow about with this power of the widths, until measured."""

_MOST_TRIES = 60
"""How many settings of the widths are tried one step at a time, where no short way leads there."""


def is_full(proposal: Proposal | Fill) -> bool:
    """Return whether a candidate fits its budget and uses 93 to 100 % of it."""
    return proposal.fits and FULL <= proposal.fill <= 1.0


def repaired(
    problem: Problem, params: Params, keep: Collection[str] = ()
) -> tuple[Params, Proposal]:
    """Move the widths of a candidate until it uses 93 to 100 % of the limit that binds it.

    First all widths are multiplied by one factor, so that the proportions stay; then single
    widths grow by single steps; where that does not lead there, steps in any order are tried.

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
        if names and not best.found and _within_reach(best, params, names):
            _scale(best, params, names)
            _grow(best, names)
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


def _within_reach(best: _Best, params: Params, names: list[str]) -> bool:
    """Look at the widest or narrowest network; return whether the range lies on the way there."""
    wider = best.look(params).fill < FULL
    end = dict(params)
    for name in names:
        distribution = best.distribution(name)
        end[name] = distribution.high if wider else distribution.low
    fill = best.look(end).fill
    return fill >= FULL if wider else fill <= 1.0


def _scale(best: _Best, params: Params, names: list[str]) -> None:
    """Look for the factor by which all widths are multiplied, by the secant method."""
    target = math.log((1.0 + FULL) / 2)
    factor, last, growth = 0.0, math.log(best.look(params).fill), _GROWTH
    for _ in range(_SECANTS):
        step = (target - last) / growth
        factor += step
        scaled = dict(params)
        for name in names:
            scaled[name] = on_grid(best.distribution(name), params[name] * math.exp(factor))
        fill = best.look(scaled).fill
        if best.found or not 0 < fill < math.inf:
            return
        now = math.log(fill)
        if step:
            growth = min(max((now - last) / step, 0.5), 3.0)
        last = now


def _grow(best: _Best, names: list[str]) -> None:
    """Widen one layer after the other by a step, as long as the network fits."""
    waiting = list(names) if best.look(best.params).fits else []
    while waiting and not best.found:
        start = best.look(best.params).fill
        grown = []
        for name in waiting:
            distribution, params = best.distribution(name), best.params
            wider = {**params, name: params[name] + distribution.step}
            if wider[name] > distribution.high:
                continue
            found = best.look(wider)
            if best.found:
                return
            if found.fits and found.fill > start:
                grown.append(name)
        waiting = grown


def _step(best: _Best, names: list[str]) -> None:
    """Look for the last steps, nearest to the range first."""
    order = count()
    start = best.params
    idle: set[str] = set()
    fringe = [(_distance(best.look(start)), next(order), start)]
    known = {tuple(start[name] for name in names)}
    tries = 0
    while fringe and not best.found and tries < _MOST_TRIES:
        _, _, params = heapq.heappop(fringe)
        fill = best.look(params).fill
        up = fill < FULL
        for name in names:
            if name in idle:
                continue
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
                if found.fill == fill:
                    idle.add(name)  # as the widths of a stage that this candidate does not have
                elif found.fill < math.inf:
                    heapq.heappush(fringe, (_distance(found), next(order), moved))


def _distance(found: Fill) -> float:
    middle = (1.0 + FULL) / 2
    return abs(math.log(found.fill / middle)) if found.fill > 0 else math.inf

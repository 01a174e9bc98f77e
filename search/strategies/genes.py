"""Parameters as genes: draw them, change some, write them as numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

__all__ = ["Genes", "Numeric", "Params", "contains", "grid_size", "on_grid"]

Params: TypeAlias = dict[str, Any]
"""The values of parameters by their names."""

Numeric: TypeAlias = IntDistribution | FloatDistribution

_ONE_GENE = 0.6
"""Share of the mutations that change one gene; the others change two."""

_MOST_STEPS = 3
"""An integer moves by 1 to so many steps of its distribution, more on a range of over 30."""

_FLOAT_STEP = 0.15
"""Standard deviation of a float's move, as a share of its (logarithmic) range."""


class Genes:
    """The parameters of a search space, as an evolution sees them.

    Args:
        distributions: by the names of the parameters.
    """

    def __init__(self, distributions: Mapping[str, BaseDistribution]) -> None:
        self.distributions = dict(sorted(distributions.items()))
        self._free = [name for name, each in self.distributions.items() if not each.single()]

    def hold(self, params: Mapping[str, Any]) -> bool:
        """Return whether every parameter is there and within its distribution."""
        return all(
            name in params and contains(distribution, params[name])
            for name, distribution in self.distributions.items()
        )

    def own(self, params: Mapping[str, Any]) -> Params:
        """Return the parameters of this space alone."""
        return {name: params[name] for name in self.distributions}

    def draw(self, rng: np.random.Generator) -> Params:
        """Draw every parameter at random, evenly or evenly in the logarithm."""
        return {name: _draw(each, rng) for name, each in self.distributions.items()}

    def mutate(
        self, params: Mapping[str, Any], rng: np.random.Generator
    ) -> tuple[Params, set[str]]:
        """Return a copy with one or two genes changed, and the names of these."""
        changed = self.own(params)
        if not self._free:
            return changed, set()
        count = min(1 if rng.random() < _ONE_GENE else 2, len(self._free))
        names = {self._free[index] for index in rng.choice(len(self._free), count, replace=False)}
        for name in sorted(names):
            changed[name] = _move(self.distributions[name], changed[name], rng)
        return changed, names

    def encode(self, params: Mapping[str, Any]) -> NDArray[np.float64]:
        """Return the genes as numbers from 0 to 1; two different choices are 1 apart."""
        numbers: list[float] = []
        for name in self._free:
            distribution, value = self.distributions[name], params[name]
            if isinstance(distribution, CategoricalDistribution):
                chosen = int(distribution.to_internal_repr(value))
                numbers += [
                    math.sqrt(0.5) * (chosen == index) for index in range(len(distribution.choices))
                ]
            else:
                low, high = _ends(cast(Numeric, distribution))
                numbers.append((_scaled(cast(Numeric, distribution), value) - low) / (high - low))
        return np.array(numbers)


def contains(distribution: BaseDistribution, value: Any) -> bool:
    """Return whether a value can be drawn from a distribution."""
    if isinstance(distribution, CategoricalDistribution):
        return value in distribution.choices
    if not isinstance(distribution, Numeric) or isinstance(value, str | bool) or value is None:
        return False
    if not distribution.low <= value <= distribution.high:
        return False
    if distribution.step is None:
        return True
    steps = (value - distribution.low) / distribution.step
    return bool(abs(steps - round(steps)) < 1e-8)


def grid_size(distribution: Numeric) -> int | None:
    """Return how many values a distribution has, None for a continuous one."""
    if distribution.step is None:
        return None
    return round((distribution.high - distribution.low) / distribution.step) + 1


def on_grid(distribution: Numeric, value: float) -> Any:
    """Return the nearest value that a distribution has."""
    low, high, step = distribution.low, distribution.high, distribution.step
    if step is not None:
        value = low + round((value - low) / step) * step
    value = min(max(value, low), high)
    return int(value) if isinstance(distribution, IntDistribution) else float(value)


def _scaled(distribution: Numeric, value: float) -> float:
    return math.log(value) if distribution.log else float(value)


def _ends(distribution: Numeric) -> tuple[float, float]:
    return _scaled(distribution, distribution.low), _scaled(distribution, distribution.high)


def _unscaled(distribution: Numeric, value: float) -> Any:
    return on_grid(distribution, math.exp(value) if distribution.log else value)


def _draw(distribution: BaseDistribution, rng: np.random.Generator) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(rng.integers(len(distribution.choices)))]
    numeric = cast(Numeric, distribution)
    count = grid_size(numeric)
    if count is not None and not numeric.log:
        return on_grid(numeric, numeric.low + int(rng.integers(count)) * cast(float, numeric.step))
    half = 0.5 if isinstance(numeric, IntDistribution) else 0.0
    low, high = _scaled(numeric, numeric.low - half), _scaled(numeric, numeric.high + half)
    return _unscaled(numeric, rng.uniform(low, high))


def _move(distribution: BaseDistribution, value: Any, rng: np.random.Generator) -> Any:
    """Return another value near to one."""
    if isinstance(distribution, CategoricalDistribution):
        chosen = int(distribution.to_internal_repr(value))
        other = int(rng.integers(len(distribution.choices) - 1))
        return distribution.choices[other + (other >= chosen)]
    numeric = cast(Numeric, distribution)
    count = grid_size(numeric)
    sign = 1 if rng.random() < 0.5 else -1
    if count is None or numeric.log:
        low, high = _ends(numeric)
        amount = abs(rng.normal()) * _FLOAT_STEP * (high - low)
        place = _scaled(numeric, value)
        if not low <= place + sign * amount <= high:
            sign = -sign
        moved = _unscaled(numeric, min(max(place + sign * amount, low), high))
        if moved != value or count is None:
            return moved
        steps = 1
    else:
        steps = int(rng.integers(1, max(_MOST_STEPS, count // 10) + 1))
    step = cast(float, numeric.step)
    if not numeric.low <= value + sign * steps * step <= numeric.high:
        sign = -sign
    moved = on_grid(numeric, value + sign * steps * step)
    # Both ends are nearer than the step: the farther of them.
    far = numeric.low if value - numeric.low > numeric.high - value else numeric.high
    return moved if moved != value else on_grid(numeric, far)

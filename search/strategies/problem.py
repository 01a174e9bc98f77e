"""What a sampler may know of a study: the parameters, and what each set of them means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from optuna.distributions import BaseDistribution

__all__ = ["LIMIT", "Fill", "Problem", "Proposal"]

LIMIT = "budget.parameters"
"""The parameter of a trial that says which of several limits on parameters holds for it."""


@dataclass(frozen=True)
class Proposal:
    """What a full set of parameters means.

    Attributes:
        key: equal for equal candidates, whatever their seeds.
        fits: whether the budget and the shapes allow it.
        fill: the greatest share of any limit that it uses: 1.0 is exactly at the limit, ``inf``
            stands for maps that vanish, 0 for no limits.
        features: numbers that describe the network, of the same length for all; may be empty.
        parameters: trainable parameters, None where there is no cost.
        limit: the limit on parameters that holds for it, in a study with several; else None.
    """

    key: str
    fits: bool
    fill: float
    features: tuple[float, ...] = ()
    parameters: int | None = None
    limit: int | None = None


class Fill(NamedTuple):
    """How much of its limits a candidate uses, as in :class:`Proposal`."""

    fits: bool
    fill: float


@dataclass(frozen=True)
class Problem:
    """A study as its sampler sees it.

    Attributes:
        distributions: of every parameter; each trial is asked for all of them.
        describe: says what a full set of parameters means, in a millisecond or two.
        widths: the integer parameters that make a network wider. A repair moves these alone.
        trials: how many trained trials are asked for in total. A later run may ask for more.
        folds: on how many folds a candidate can be judged, 1 where there are none.
        repair: whether proposals are widened or narrowed to the limits of the budget.
        measure: says how much of its limits a full set of parameters uses, as ``describe`` does
            but faster, because a repair asks often; None where ``describe`` is fast.
        candidates: all that fit, their parameters by their keys; None where they are too many to
            count.
        seeds: how many times each of these may be trained.
        limits: on parameters, where there are several, ascending; each has its share of the trials.
            The parameter :data:`LIMIT` says which one holds for a trial.
    """

    distributions: Mapping[str, BaseDistribution]
    describe: Callable[[Mapping[str, Any]], Proposal]
    widths: tuple[str, ...]
    trials: int
    folds: int = 1
    repair: bool = True
    measure: Callable[[Mapping[str, Any]], Fill] | None = None
    candidates: Mapping[str, Mapping[str, Any]] | None = None
    seeds: int = 1
    limits: tuple[int, ...] = ()

    def within(self, limit: int) -> Problem:
        """Return the study as the proposals for one of its limits see it.

        All of its trials tell something, but only what fits this limit is a candidate. The number
        of trials stays that of all limits.
        """
        measure = self.measure
        return replace(
            self,
            distributions={n: each for n, each in self.distributions.items() if n != LIMIT},
            describe=lambda params: self.describe({**params, LIMIT: limit}),
            measure=measure and (lambda params: measure({**params, LIMIT: limit})),
        )

    def fill(self, params: Mapping[str, Any]) -> Fill:
        """Return how much of its limits a full set of parameters uses."""
        if self.measure is not None:
            return self.measure(params)
        found = self.describe(params)
        return Fill(found.fits, found.fill)

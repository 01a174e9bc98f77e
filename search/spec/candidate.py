"""A candidate: an architecture and the recipe that trains it."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

from search.spec.study_file import Budget
from space.architecture import Architecture
from space.cost import Cost, cost
from space.errors import ShapeError
from trainer.recipe import Recipe

__all__ = ["Assessment", "Candidate", "assess"]


@dataclass(frozen=True)
class Candidate:
    """What a trial trains."""

    architecture: Architecture
    recipe: Recipe


@dataclass(frozen=True)
class Assessment:
    """A candidate's cost held against the budget.

    Attributes:
        cost: None where the maps vanish, so that there is none.
        constraints: for each of ``activation``, ``macs``, ``parameters`` and ``shape`` how far
            the candidate is over: log(value / limit), at most 0 where it fits. Always these keys
            in this order, because samplers compare them between trials.
        reason: why it does not fit, in words; empty where it does.
    """

    cost: Cost | None
    constraints: dict[str, float]
    reason: str

    @property
    def fits(self) -> bool:
        """Whether the candidate may be trained."""
        return all(value <= 0 for value in self.constraints.values())


def assess(architecture: Architecture, budget: Budget) -> Assessment:
    """Holds an architecture against a budget without building it."""
    constraints = {"activation": 0.0, "macs": 0.0, "parameters": 0.0, "shape": 0.0}
    try:
        price = cost(architecture)
    except ShapeError as error:
        return Assessment(None, {**constraints, "shape": error.violation}, str(error))
    reasons = []
    for key, unit, value, limit in (
        ("activation", "KiB of activations", price.activation_kib, budget.activation_kib),
        ("macs", "MACs", price.macs, budget.macs),
        ("parameters", "parameters", price.parameters, budget.parameters),
    ):
        if limit is None:
            continue
        constraints[key] = log(value / limit) if value > 0 else -1e3
        if value > limit:
            reasons.append(f"{value:,g} {unit}, {value / limit - 1:.0%} over")
    return Assessment(price, constraints, "; ".join(reasons))

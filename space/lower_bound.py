"""Lower bounds on cost: the cheapest architecture among all that a space may choose.

A front maps the states that candidates can be in after some lines (at least the shape of their
map) to the least cost of getting there. Parameters, multiply-accumulates, activation memory and the
bytes of a deployed network are minimised separately. Every cost grows with every width, so that a
walk need try only the smallest; what it does not check (groups, skips, parameters that several
lines share) can only let in more candidates, never fewer: the bound stays below all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, TypeVar

from space.cost import BYTES, held_at_once
from space.deployed.flash import least_deployed
from space.errors import Problem, SearchSpaceError
from space.layers import Layer, Operation, Shape
from space.layers.words import elements, format_shape


@dataclass(frozen=True)
class CostBound:
    """The least that any architecture of a space can cost, each figure for itself.

    Attributes:
        parameters: trainable parameters, as in ``Cost``.
        macs: multiply-accumulates for one image, as in ``Cost``.
        activation_bytes: float32 activation memory for one image, as in ``Cost``.
        ram: bytes of the arena, as in ``DeployedCost``: of the largest map that an operation reads.
        flash: bytes of flash, as in ``DeployedCost``: of weights, and of the tables beside them.
    """

    parameters: int
    macs: int
    activation_bytes: int
    ram: int = 0
    flash: int = 0


class Least(NamedTuple):
    """The least parameters, MACs and peak of elements held at once, up to some line.

    And of a deployed network the largest map that an operation reads, and its constants.
    """

    parameters: int
    macs: int
    elements: int
    ram: int = 0
    flash: int = 0

    def then(self, other: Least) -> Least:
        """Return the costs of these lines followed by others."""
        return Least(
            self.parameters + other.parameters,
            self.macs + other.macs,
            max(self.elements, other.elements),
            max(self.ram, other.ram),
            self.flash + other.flash,
        )


State = TypeVar("State", bound=Hashable)
After = TypeVar("After", bound=Hashable)
Move = tuple[State, Least]
FREE = Least(0, 0, 0)


def apply(layer: Layer, shape: Shape) -> tuple[Shape, Least] | None:
    """Return the map after a line and what the line costs; None when the map vanishes."""
    parameters = macs = ram = flash = 0
    peak = elements(shape)
    for word in layer.words:
        after = word.output(shape)
        if after[1] < 1 or after[2] < 1:
            return None
        parameters += word.parameters(shape)
        macs += word.macs(shape)
        if isinstance(word, Operation):
            peak = max(peak, held_at_once(word, shape))
            largest, constants = least_deployed(word, shape)
            ram, flash = max(ram, largest), flash + constants
        shape = after
    return shape, Least(parameters, macs, peak, ram, flash)


def advance(
    front: Mapping[State, Least], moves: Callable[[State], Iterable[Move[After]]]
) -> dict[After, Least]:
    """Take every move from every state; of those that meet, keep the least of each cost."""
    reached: dict[After, Least] = {}
    for state, so_far in front.items():
        for after, extra in moves(state):
            merge(reached, {after: so_far.then(extra)})
    return reached


def cached_moves(
    moves: Callable[[State], Iterable[Move[After]]],
) -> Callable[[State], Iterable[Move[After]]]:
    """Cache the moves from each state; of those that meet, keep the least of each cost."""

    @cache
    def reached(state: State) -> tuple[Move[After], ...]:
        return tuple(advance({state: FREE}, moves).items())

    return reached


def merge(front: dict[State, Least], other: Mapping[State, Least]) -> None:
    """Add the states of ``other`` to ``front``; where both have one, keep the least of each."""
    for state, costs in other.items():
        known = front.get(state)
        front[state] = costs if known is None else Least(*map(min, known, costs))


def finish(
    ends: Iterable[tuple[Shape, Least]], input_shape: Shape, classes: int, advice: str
) -> CostBound:
    """Return the least cost of those ends that are logits.

    Args:
        ends: the last maps that candidates can have, each with its least cost.
        input_shape: of an image.
        classes: how many logits there must be.
        advice: what may help where there are none.

    Raises:
        SearchSpaceError: there are none, so that no candidate of the space can ever be built.
    """
    final = [costs for shape, costs in ends if shape == (classes, 1, 1)]
    if not final:
        raise SearchSpaceError(
            [
                Problem(
                    "space",
                    f"no candidate turns an input of {format_shape(input_shape)} into "
                    f"{classes}x1x1 logits; {advice}",
                )
            ]
        )
    parameters, macs, peak, ram, flash = map(min, zip(*final, strict=True))
    return CostBound(parameters, macs, BYTES * peak, max(ram, elements(input_shape)), flash)

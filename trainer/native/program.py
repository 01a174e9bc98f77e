"""A network as the list of operations that the compiled kernels know."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor, nn

__all__ = ["Addition", "Convolution", "Elementwise", "Operation", "Pool", "Program", "Shape"]

Shape = tuple[int, int, int]
"""(channels, height, width) of a map."""


@dataclass(frozen=True)
class Convolution:
    """A convolution, or a linear layer: a kernel as large as its map.

    Attributes:
        source: the map that is read.
        target: the map that is written.
        weight: (out, in / groups, height, width), or (out, in) of a linear layer.
        bias: (out,), if any.
        kernel: height and width.
        stride: of both axes.
        padding: zeros on either side, vertical and horizontal.
        groups: of channels.
    """

    source: int
    target: int
    weight: Tensor
    bias: Tensor | None
    kernel: tuple[int, int]
    stride: int = 1
    padding: tuple[int, int] = (0, 0)
    groups: int = 1


@dataclass(frozen=True)
class Elementwise:
    """An activation, a normalisation, an activation and dropout; one activation at most.

    Attributes:
        source: the map that is read.
        target: the map that is written.
        first: activation before the normalisation, or "".
        norm: the normalisation, if any.
        second: activation after it, or "".
        dropout: rate, from 0 to below 1.
    """

    source: int
    target: int
    first: str = ""
    norm: nn.BatchNorm2d | None = None
    second: str = ""
    dropout: float = 0.0

    def followed_by(self, other: Elementwise) -> Elementwise | None:
        """Returns both as one operation, or None where the order of the parts forbids it."""
        if self.dropout or (self.second and (other.norm or other.first)):
            return None
        if other.norm and self.norm:
            return None
        activations = [self.first, self.second, other.first, other.second]
        if sum(map(bool, activations)) > 1:
            return None
        norm = self.norm or other.norm
        before = self.first if self.norm else self.first or other.first
        after = self.second or other.second or (other.first if self.norm else "")
        return Elementwise(self.source, other.target, before, norm, after, other.dropout)


@dataclass(frozen=True)
class Pool:
    """Pooling over windows that touch and do not overlap.

    Attributes:
        source: the map that is read.
        target: the map that is written.
        largest: whether the largest value is taken, else the mean.
        window: height and width.
    """

    source: int
    target: int
    largest: bool
    window: tuple[int, int]


@dataclass(frozen=True)
class Addition:
    """The sum of two maps.

    Attributes:
        source: one map.
        other: the other map.
        target: the map that is written.
    """

    source: int
    other: int
    target: int


Operation = Convolution | Elementwise | Pool | Addition


@dataclass
class Program:
    """The operations of a network in their order.

    Attributes:
        shapes: of each map; the first is the input, the last holds the logits.
        operations: in an order in which each finds what it reads.
    """

    shapes: list[Shape]
    operations: list[Operation] = field(default_factory=list)

"""A network as a list of operations that the compiled kernels support."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from torch import Tensor, nn

__all__ = [
    "NO_ACTIVATION",
    "AdditionOp",
    "ConvolutionOp",
    "NormActivationOp",
    "Operation",
    "PoolingOp",
    "Program",
    "Shape",
]

Shape = tuple[int, int, int]
"""(channels, height, width) of a map."""

NO_ACTIVATION = 0
"""The number of "no activation"; the others are indices into the kernels' list."""


@dataclass(frozen=True)
class ConvolutionOp:
    """A convolution, or a linear layer, which is one whose kernel covers its map.

    Attributes:
        source: number of the map that is read.
        target: number of the map that is written.
        weight: (out, in / groups, height, width), or (out, in) of a linear layer.
        bias: (out,), if any.
        kernel: height and width.
        stride: vertical and horizontal.
        padding: zeros on either side, vertical and horizontal.
        dilation: how far apart the pixels of the kernel lie, vertical and horizontal.
        groups: of channels.
    """

    source: int
    target: int
    weight: Tensor
    bias: Tensor | None
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1


@dataclass(frozen=True)
class NormActivationOp:
    """An activation, a normalisation, an activation and dropout; at most one activation.

    Attributes:
        source: number of the map that is read.
        target: number of the map that is written.
        first: number of the activation before the normalisation.
        norm: the normalisation, if any.
        second: number of the activation after it.
        dropout: rate, from 0 to below 1.
        drops_channels: whether dropout drops whole channels of an image, not single values.
    """

    source: int
    target: int
    first: int = NO_ACTIVATION
    norm: nn.BatchNorm2d | None = None
    second: int = NO_ACTIVATION
    dropout: float = 0.0
    drops_channels: bool = False

    def followed_by(self, other: NormActivationOp) -> NormActivationOp | None:
        """Return both as one operation, or None if the order of their parts does not allow it."""
        if self.dropout or (self.second and (other.norm or other.first)):
            return None
        if other.norm and self.norm:
            return None
        activations = [self.first, self.second, other.first, other.second]
        if sum(map(bool, activations)) > 1:
            return None
        norm = self.norm or other.norm
        before = self.first if self.norm else self.first or other.first
        after = self.second or other.second or (other.first if self.norm else NO_ACTIVATION)
        return replace(other, source=self.source, first=before, norm=norm, second=after)


@dataclass(frozen=True)
class PoolingOp:
    """Pooling over windows.

    Attributes:
        source: number of the map that is read.
        target: number of the map that is written.
        takes_largest: whether the largest value is taken; otherwise the mean.
        window: height and width.
        stride: vertical and horizontal.
        padding: on either side, vertical and horizontal, at most half of the window; zeros that
            count in a mean.
    """

    source: int
    target: int
    takes_largest: bool
    window: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class AdditionOp:
    """The sum of two maps.

    Attributes:
        left: number of one map that is read.
        right: number of the other one.
        target: number of the map that is written.
    """

    left: int
    right: int
    target: int


Operation = ConvolutionOp | NormActivationOp | PoolingOp | AdditionOp


@dataclass
class Program:
    """The operations of a network in their order.

    Attributes:
        shapes: of each map; the first is the input, the last holds the logits.
        operations: in an order in which each map is written before it is read.
    """

    shapes: list[Shape]
    operations: list[Operation] = field(default_factory=list)

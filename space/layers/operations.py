"""The words that make a new map: convolutions, pools and linear layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from space.errors import LayerError
from space.layers.words import MAX_CHANNELS, Operation, Shape, check_whole, elements

EVEN_KERNELS = (2, 4, 6)
MAX_KERNEL = 99


class Convolution(Operation):
    """What convolutions share: a square kernel, zero padding on all four sides, a stride."""

    __slots__ = ()

    kernel: int
    padding: int
    stride: int
    bias: bool

    def __post_init__(self) -> None:
        check_whole("a kernel size", self.kernel, 1, MAX_KERNEL)
        if self.kernel % 2 == 0 and self.kernel not in EVEN_KERNELS:
            raise LayerError(
                f'"{self.kernel}" is not a kernel size (2, 4, 6 or an odd number up to 99)'
            )
        check_whole("a padding", self.padding, 0, MAX_KERNEL)
        check_whole("a stride", self.stride, 1, MAX_KERNEL)

    def output_channels(self, channels: int) -> int:
        """Give the number of channels after it."""
        return channels

    def output(self, shape: Shape) -> Shape:
        """Slide the kernel over the padded map; what is left over at the end is cut."""
        channels, height, width = shape
        slack = 2 * self.padding - self.kernel
        stride = self.stride
        return (
            self.output_channels(channels),
            (height + slack) // stride + 1,
            (width + slack) // stride + 1,
        )

    def smallest_input(self, side: int) -> int:
        """Undo the slide."""
        return max(1, (side - 1) * self.stride + self.kernel - 2 * self.padding)

    def fan_in(self, shape: Shape) -> int:
        """Give the number of channels."""
        return shape[0]

    def window(self, shape: Shape) -> tuple[int, int]:
        """Give the kernel and the stride."""
        return self.kernel, self.stride

    def modifiers(self, groups: int = 1) -> str:
        """Spell what differs from the defaults, each after a blank."""
        return (
            (f" pad{self.padding}" if self.padding else "")
            + (f" stride{self.stride}" if self.stride != 1 else "")
            + (f" groups{groups}" if groups != 1 else "")
            + (" bias" if self.bias else "")
        )


@dataclass(frozen=True, slots=True)
class Conv(Convolution):
    """A convolution: ``conv3 16 pad1 stride2 groups4 bias``."""

    kernel: int
    channels: int
    padding: int = 0
    stride: int = 1
    groups: int = 1
    bias: bool = False

    def __post_init__(self) -> None:
        Convolution.__post_init__(self)
        check_whole("a number of channels", self.channels, 1, MAX_CHANNELS)
        check_whole("a number of groups", self.groups, 1, MAX_CHANNELS)
        if self.channels % self.groups:
            raise LayerError(f'"groups{self.groups}" does not divide the {self.channels} channels')

    def __str__(self) -> str:
        return f"conv{self.kernel} {self.channels}{self.modifiers(self.groups)}"

    def output_channels(self, channels: int) -> int:
        """Give the channels that the text asks for."""
        return self.channels

    def parameters(self, shape: Shape) -> int:
        """Count kernels, each over one group of input channels, and biases."""
        return self.channels * (shape[0] // self.groups * self.kernel**2 + self.bias)

    def macs(self, shape: Shape) -> int:
        """Count one kernel to an output element; padding is multiplied too."""
        return elements(self.output(shape)) * (shape[0] // self.groups) * self.kernel**2


@dataclass(frozen=True, slots=True)
class Depthwise(Convolution):
    """One kernel to a channel: ``depthwise5 pad2``; the channels stay."""

    kernel: int
    padding: int = 0
    stride: int = 1
    bias: bool = False

    def __str__(self) -> str:
        return f"depthwise{self.kernel}{self.modifiers()}"

    def parameters(self, shape: Shape) -> int:
        """Count one kernel, and one bias, to a channel."""
        return shape[0] * (self.kernel**2 + self.bias)

    def macs(self, shape: Shape) -> int:
        """Count one kernel to an output element; padding is multiplied too."""
        return elements(self.output(shape)) * self.kernel**2


@dataclass(frozen=True, slots=True)
class Separable(Convolution):
    """``separable5 16 pad2``: ``depthwise5 pad2``, then ``conv1 16``; ``bias`` is on both."""

    kernel: int
    channels: int
    padding: int = 0
    stride: int = 1
    bias: bool = False

    def __post_init__(self) -> None:
        Convolution.__post_init__(self)
        check_whole("a number of channels", self.channels, 1, MAX_CHANNELS)

    def __str__(self) -> str:
        return f"separable{self.kernel} {self.channels}{self.modifiers()}"

    @property
    def depthwise(self) -> Depthwise:
        """The first half."""
        return Depthwise(self.kernel, self.padding, self.stride, self.bias)

    @property
    def pointwise(self) -> Conv:
        """The second half."""
        return Conv(1, self.channels, bias=self.bias)

    def output_channels(self, channels: int) -> int:
        """Give the channels that the text asks for."""
        return self.channels

    def parameters(self, shape: Shape) -> int:
        """Add both halves."""
        return self.depthwise.parameters(shape) + self.pointwise.parameters(shape)

    def macs(self, shape: Shape) -> int:
        """Add both halves."""
        depthwise = self.depthwise
        return depthwise.macs(shape) + self.pointwise.macs(depthwise.output(shape))


@dataclass(frozen=True, slots=True)
class Pool(Operation):
    """``maxpool2`` or ``avgpool2``: windows side by side; what is left over at the end is cut."""

    kind: Literal["max", "avg"]
    size: int

    def __post_init__(self) -> None:
        if self.kind not in ("max", "avg"):
            raise LayerError(f'"{self.kind}" is not a kind of pool ("max" or "avg")')
        check_whole("a pool size", self.size, 2, MAX_KERNEL)

    def __str__(self) -> str:
        return f"{self.kind}pool{self.size}"

    def output(self, shape: Shape) -> Shape:
        """Divide the sides, rounding down."""
        return shape[0], shape[1] // self.size, shape[2] // self.size

    def smallest_input(self, side: int) -> int:
        """Multiply the side."""
        return side * self.size

    def window(self, shape: Shape) -> tuple[int, int]:
        """Give the size twice."""
        return self.size, self.size


class WholeMap(Operation):
    """What ``gap`` and ``linear`` share: one output pixel that sees the whole map."""

    __slots__ = ()

    def smallest_input(self, side: int) -> int:
        """Give 1: any map will do."""
        return 1

    def window(self, shape: Shape) -> tuple[int, int]:
        """Give the longer side of the map."""
        return max(shape[1:]), 1


@dataclass(frozen=True, slots=True)
class Gap(WholeMap):
    """``gap``: the mean of each channel, channels x 1 x 1."""

    def __str__(self) -> str:
        return "gap"

    def output(self, shape: Shape) -> Shape:
        """Keep the channels."""
        return shape[0], 1, 1


@dataclass(frozen=True, slots=True)
class Linear(WholeMap):
    """``linear 10`` or ``linear 10 nobias``: flattens its input and gives features x 1 x 1."""

    features: int
    bias: bool = True

    def __post_init__(self) -> None:
        check_whole("a number of features", self.features, 1, MAX_CHANNELS)

    def __str__(self) -> str:
        return f"linear {self.features}" + ("" if self.bias else " nobias")

    def output(self, shape: Shape) -> Shape:
        """Give the features as channels of one pixel."""
        return self.features, 1, 1

    def fan_in(self, shape: Shape) -> int:
        """Give the number of elements of the map."""
        return elements(shape)

    def parameters(self, shape: Shape) -> int:
        """Count weights and biases."""
        return self.features * (elements(shape) + self.bias)

    def macs(self, shape: Shape) -> int:
        """Count one multiplication to a weight."""
        return self.features * elements(shape)

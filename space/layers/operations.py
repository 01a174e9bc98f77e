"""The words that make a new map: convolutions, pools and linear layers."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Annotated, ClassVar, Literal, TypeAlias

from space.errors import LayerError
from space.layers.spelling import Spelling, Whole
from space.layers.torch_call import TorchCall
from space.layers.words import MAX_CHANNELS, Operation, Shape, Word, elements, format_shape

EVEN_KERNELS = (2, 4, 6)
MAX_KERNEL = 99

Kernel: TypeAlias = Annotated[int, Whole("kernel size", 1, MAX_KERNEL, example="3")]
Padding: TypeAlias = Annotated[int, Whole("padding", 0, MAX_KERNEL)]
Stride: TypeAlias = Annotated[int, Whole("stride", 1, MAX_KERNEL)]
Groups: TypeAlias = Annotated[int, Whole("number of groups", 1, MAX_CHANNELS)]
Channels: TypeAlias = Annotated[int, Whole("number of channels", 1, MAX_CHANNELS, example="16")]
Features: TypeAlias = Annotated[int, Whole("number of features", 1, MAX_CHANNELS, example="16")]
PoolSize: TypeAlias = Annotated[int, Whole("pool size", 2, MAX_KERNEL, example="2")]


class Convolution(Operation):
    """The base of convolutions: a square kernel, zero padding on all four sides, a stride."""

    __slots__ = ()

    gives_fresh_map: ClassVar[bool] = True

    kernel: Kernel
    padding: Padding
    stride: Stride
    bias: bool

    def __post_init__(self) -> None:
        Operation.__post_init__(self)
        if self.kernel % 2 == 0 and self.kernel not in EVEN_KERNELS:
            raise LayerError(
                f'"{self.kernel}" is not a kernel size '
                f"(2, 4, 6 or an odd number up to {MAX_KERNEL})"
            )

    def output_channels(self, channels: int) -> int:
        """Return the number of channels after the convolution."""
        return channels

    def output(self, shape: Shape) -> Shape:
        """Slide the kernel over the padded map; pixels left over at the end are cut."""
        channels, height, width = shape
        slack = 2 * self.padding - self.kernel
        stride = self.stride
        return (
            self.output_channels(channels),
            (height + slack) // stride + 1,
            (width + slack) // stride + 1,
        )

    def smallest_input(self, side: int) -> int:
        """Return the side that leaves ``side`` positions for the kernel."""
        return max(1, (side - 1) * self.stride + self.kernel - 2 * self.padding)

    def fan_in(self, shape: Shape) -> int:
        """Return the number of channels."""
        return shape[0]

    def window(self, shape: Shape) -> tuple[int, int]:
        """Return the kernel and the stride."""
        return self.kernel, self.stride

    def _module(self, channels: int, out: int, groups: int) -> TorchCall:
        options: dict[str, int] = {}
        if self.stride != 1:
            options["stride"] = self.stride
        if self.padding:
            options["padding"] = self.padding
        if groups != 1:
            options["groups"] = groups
        if not self.bias:
            options["bias"] = False
        return TorchCall("Conv2d", (channels, out, self.kernel), options)


@dataclass(frozen=True, slots=True)
class Conv(Convolution):
    """``conv3 16 pad1 stride2 groups4 bias``: a convolution."""

    kernel: Kernel
    channels: Channels
    padding: Padding = 0
    stride: Stride = 1
    groups: Groups = 1
    bias: bool = False

    spelling: ClassVar[Spelling] = Spelling.of(
        "conv", "kernel", "channels", ("padding", "stride", "groups", "bias")
    )

    def __post_init__(self) -> None:
        Convolution.__post_init__(self)
        if self.channels % self.groups:
            raise LayerError(f'"groups{self.groups}" does not divide the {self.channels} channels')

    def output_channels(self, channels: int) -> int:
        """Return the channels that the text asks for."""
        return self.channels

    def misfit(self, shape: Shape) -> tuple[str, float] | None:
        """Refuse channels that the groups do not divide."""
        channels, groups = shape[0], self.groups
        if channels % groups == 0:
            return None
        return (
            f'"groups{groups}" does not divide the {channels} input channels '
            f"({format_shape(shape)})",
            log(-(-channels // groups) * groups / channels),
        )

    def parameters(self, shape: Shape) -> int:
        """Count kernels, each over one group of input channels, and biases."""
        return self.channels * (shape[0] // self.groups * self.kernel**2 + self.bias)

    def macs(self, shape: Shape) -> int:
        """Count one kernel for each output element; padding is multiplied too."""
        return elements(self.output(shape)) * (shape[0] // self.groups) * self.kernel**2

    def module(self, shape: Shape, *, flat: bool = False) -> TorchCall:
        """Return the convolution from the channels of the map to those of the text."""
        return self._module(shape[0], self.channels, self.groups)


@dataclass(frozen=True, slots=True)
class Depthwise(Convolution):
    """``depthwise5 pad2``: one kernel for each channel; the number of channels stays."""

    kernel: Kernel
    padding: Padding = 0
    stride: Stride = 1
    bias: bool = False

    spelling: ClassVar[Spelling] = Spelling.of(
        "depthwise", "kernel", modifiers=("padding", "stride", "bias")
    )

    def parameters(self, shape: Shape) -> int:
        """Count one kernel, and perhaps one bias, for each channel."""
        return shape[0] * (self.kernel**2 + self.bias)

    def macs(self, shape: Shape) -> int:
        """Count one kernel for each output element; padding is multiplied too."""
        return elements(self.output(shape)) * self.kernel**2

    def module(self, shape: Shape, *, flat: bool = False) -> TorchCall:
        """Return the convolution with as many groups as channels."""
        return self._module(shape[0], shape[0], shape[0])


@dataclass(frozen=True, slots=True)
class Separable(Convolution):
    """``separable5 16 pad2``: ``depthwise5 pad2``, then ``conv1 16``; ``bias`` is on both."""

    kernel: Kernel
    channels: Channels
    padding: Padding = 0
    stride: Stride = 1
    bias: bool = False

    spelling: ClassVar[Spelling] = Spelling.of(
        "separable", "kernel", "channels", ("padding", "stride", "bias")
    )

    @property
    def depthwise(self) -> Depthwise:
        """Return the first half."""
        return Depthwise(self.kernel, self.padding, self.stride, self.bias)

    @property
    def pointwise(self) -> Conv:
        """Return the second half."""
        return Conv(1, self.channels, bias=self.bias)

    def output_channels(self, channels: int) -> int:
        """Return the channels that the text asks for."""
        return self.channels

    def parameters(self, shape: Shape) -> int:
        """Add both halves."""
        return self.depthwise.parameters(shape) + self.pointwise.parameters(shape)

    def macs(self, shape: Shape) -> int:
        """Add both halves."""
        depthwise = self.depthwise
        return depthwise.macs(shape) + self.pointwise.macs(depthwise.output(shape))

    def parts(self) -> tuple[tuple[str, Word], ...]:
        """Return both halves."""
        return ("depthwise", self.depthwise), ("pointwise", self.pointwise)


class Pooling(Operation):
    """The base of pools: square windows side by side; pixels left over at the end are cut."""

    __slots__ = ()

    size: PoolSize

    def output(self, shape: Shape) -> Shape:
        """Divide the sides, rounding down."""
        return shape[0], shape[1] // self.size, shape[2] // self.size

    def smallest_input(self, side: int) -> int:
        """Return the side times the size."""
        return side * self.size

    def window(self, shape: Shape) -> tuple[int, int]:
        """Return the size twice."""
        return self.size, self.size


@dataclass(frozen=True, slots=True)
class Pool(Pooling):
    """``maxpool2`` or ``avgpool2``: the maximum or the mean of each window."""

    kind: Literal["max", "avg"]
    size: PoolSize

    spelling: ClassVar[Spelling] = Spelling(
        {"maxpool": {"kind": "max"}, "avgpool": {"kind": "avg"}}, "size"
    )

    def __post_init__(self) -> None:
        if self.kind not in ("max", "avg"):
            raise LayerError(f'"{self.kind}" is not a kind of pool ("max" or "avg")')
        Pooling.__post_init__(self)

    def module(self, shape: Shape, *, flat: bool = False) -> TorchCall:
        """Return the pool of the kind."""
        return TorchCall(f"{self.kind.capitalize()}Pool2d", (self.size,))

    def function(self) -> TorchCall:
        """Return the function of the kind."""
        return TorchCall(f"{self.kind}_pool2d", (self.size,))


class WholeMap(Operation):
    """The base of ``gap`` and ``linear``: one output pixel that sees the whole map."""

    __slots__ = ()

    def smallest_input(self, side: int) -> int:
        """Return 1: any map is large enough."""
        return 1

    def window(self, shape: Shape) -> tuple[int, int]:
        """Return the longer side of the map."""
        return max(shape[1:]), 1


@dataclass(frozen=True, slots=True)
class Gap(WholeMap):
    """``gap``: the mean of each channel, channels x 1 x 1."""

    spelling: ClassVar[Spelling] = Spelling.of("gap")

    def output(self, shape: Shape) -> Shape:
        """Keep the channels."""
        return shape[0], 1, 1

    def module(self, shape: Shape, *, flat: bool = False) -> TorchCall:
        """Return the pool to one pixel."""
        return TorchCall("AdaptiveAvgPool2d", (1,))

    def function(self) -> TorchCall:
        """Return the pool to one pixel."""
        return TorchCall("adaptive_avg_pool2d", (1,))


@dataclass(frozen=True, slots=True)
class Linear(WholeMap):
    """``linear 10`` or ``linear 10 nobias``: flatten the map and give features x 1 x 1."""

    features: Features
    bias: bool = True

    spelling: ClassVar[Spelling] = Spelling.of("linear", count="features", modifiers=("bias",))
    takes: ClassVar[Literal["features"]] = "features"

    def output(self, shape: Shape) -> Shape:
        """Return the features as channels of one pixel."""
        return self.features, 1, 1

    def fan_in(self, shape: Shape) -> int:
        """Return the number of elements of the map."""
        return elements(shape)

    def parameters(self, shape: Shape) -> int:
        """Count weights and biases."""
        return self.features * (elements(shape) + self.bias)

    def macs(self, shape: Shape) -> int:
        """Count one multiplication for each weight."""
        return self.features * elements(shape)

    def module(self, shape: Shape, *, flat: bool = False) -> TorchCall:
        """Return the layer from all elements of the map to the features."""
        options = {} if self.bias else {"bias": False}
        return TorchCall("Linear", (elements(shape), self.features), options)

"""The words that make a new map: convolutions, pools and linear layers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import log, prod
from typing import Annotated, ClassVar, Literal, TypeAlias

from space.errors import LayerError
from space.layers.spelling import Sides, Spelling, Whole, WholeSides, both, spell_number
from space.layers.torch_call import Argument, TorchCall
from space.layers.words import MAX_CHANNELS, Operation, Shape, Word, elements, format_shape

EVEN_KERNELS = (2, 4, 6)
MAX_KERNEL = 99

Kernel: TypeAlias = Annotated[Sides, WholeSides("kernel size", 1, MAX_KERNEL, example="3")]
Padding: TypeAlias = Annotated[Sides, WholeSides("padding", 0, MAX_KERNEL)]
Stride: TypeAlias = Annotated[Sides, WholeSides("stride", 1, MAX_KERNEL)]
Dilation: TypeAlias = Annotated[Sides, WholeSides("dilation", 1, MAX_KERNEL)]
Groups: TypeAlias = Annotated[int, Whole("number of groups", 1, MAX_CHANNELS)]
Channels: TypeAlias = Annotated[int, Whole("number of channels", 1, MAX_CHANNELS, example="16")]
Features: TypeAlias = Annotated[int, Whole("number of features", 1, MAX_CHANNELS, example="16")]
PoolSize: TypeAlias = Annotated[Sides, WholeSides("pool size", 2, MAX_KERNEL, example="2")]
PoolStride: TypeAlias = Annotated[Sides | None, WholeSides("stride", 1, MAX_KERNEL)]


def slide(
    shape: Shape, window: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int]
) -> tuple[int, int]:
    """Count the positions of a window on a padded map, down and to the right."""
    height, width = (
        (side + 2 * pad - size) // step + 1
        for side, size, step, pad in zip(shape[1:], window, stride, padding, strict=True)
    )
    return height, width


def smallest_map(
    sides: tuple[int, int],
    window: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
) -> tuple[int, int]:
    """Return the height and width of the smallest map with as many positions for a window."""
    height, width = (
        max(1, (side - 1) * step + size - 2 * pad)
        for side, size, step, pad in zip(sides, window, stride, padding, strict=True)
    )
    return height, width


class Convolution(Operation):
    """The base of convolutions: a kernel, zero padding on all four sides, stride and dilation.

    Each of them is one number for both axes, or one for the height and one for the width.
    """

    __slots__ = ()

    gives_fresh_map: ClassVar[bool] = True

    kernel: Kernel
    padding: Padding
    stride: Stride
    dilation: Dilation
    bias: bool

    def __post_init__(self) -> None:
        Operation.__post_init__(self)
        kernel = self.kernel
        if not isinstance(kernel, tuple) and kernel % 2 == 0 and kernel not in EVEN_KERNELS:
            raise LayerError(
                f'"{kernel}" is not a kernel size (2, 4, 6 or an odd number up to {MAX_KERNEL})'
            )

    @property
    def area(self) -> int:
        """Return the number of pixels of the kernel."""
        return prod(both(self.kernel))

    @property
    def reach(self) -> tuple[int, int]:
        """Return the height and width, in pixels of the map, over which the kernel is spread."""
        (height, width), (down, right) = both(self.kernel), both(self.dilation)
        return (height - 1) * down + 1, (width - 1) * right + 1

    def output_channels(self, channels: int) -> int:
        """Return the number of channels after the convolution."""
        return channels

    def output(self, shape: Shape) -> Shape:
        """Slide the kernel over the padded map; pixels left over at the end are cut."""
        height, width = slide(shape, self.reach, both(self.stride), both(self.padding))
        return self.output_channels(shape[0]), height, width

    def smallest_input(self, sides: tuple[int, int]) -> tuple[int, int]:
        """Return the sides that leave as many positions for the kernel."""
        return smallest_map(sides, self.reach, both(self.stride), both(self.padding))

    def fan_in(self, shape: Shape) -> int:
        """Return the number of channels."""
        return shape[0]

    def window(self, shape: Shape) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the reach of the kernel and the stride."""
        return self.reach, both(self.stride)

    def _module(self, channels: int, out: int, groups: int) -> TorchCall:
        options: dict[str, Argument] = {}
        if self.stride != 1:
            options["stride"] = self.stride
        if self.padding:
            options["padding"] = self.padding
        if self.dilation != 1:
            options["dilation"] = self.dilation
        if groups != 1:
            options["groups"] = groups
        if not self.bias:
            options["bias"] = False
        return TorchCall("Conv2d", (channels, out, self.kernel), options)


@dataclass(frozen=True, slots=True)
class Conv(Convolution):
    """``conv3 16 pad1 stride2 dilation2 groups4 bias``: a convolution."""

    kernel: Kernel
    channels: Channels
    padding: Padding = 0
    stride: Stride = 1
    groups: Groups = 1
    bias: bool = False
    dilation: Dilation = 1

    spelling: ClassVar[Spelling] = Spelling.of(
        "conv", "kernel", "channels", ("padding", "stride", "dilation", "groups", "bias")
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
        return self.channels * (shape[0] // self.groups * self.area + self.bias)

    def macs(self, shape: Shape) -> int:
        """Count one kernel for each output element; padding is multiplied too."""
        return elements(self.output(shape)) * (shape[0] // self.groups) * self.area

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
    dilation: Dilation = 1

    spelling: ClassVar[Spelling] = Spelling.of(
        "depthwise", "kernel", modifiers=("padding", "stride", "dilation", "bias")
    )

    def parameters(self, shape: Shape) -> int:
        """Count one kernel, and perhaps one bias, for each channel."""
        return shape[0] * (self.area + self.bias)

    def macs(self, shape: Shape) -> int:
        """Count one kernel for each output element; padding is multiplied too."""
        return elements(self.output(shape)) * self.area

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
    dilation: Dilation = 1

    spelling: ClassVar[Spelling] = Spelling.of(
        "separable", "kernel", "channels", ("padding", "stride", "dilation", "bias")
    )

    @property
    def depthwise(self) -> Depthwise:
        """Return the first half."""
        return _halves(self)[0]

    @property
    def pointwise(self) -> Conv:
        """Return the second half."""
        return _halves(self)[1]

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


@lru_cache(4096)
def _halves(word: Separable) -> tuple[Depthwise, Conv]:
    depthwise = Depthwise(word.kernel, word.padding, word.stride, word.bias, word.dilation)
    return depthwise, Conv(1, word.channels, bias=word.bias)


class Pooling(Operation):
    """The base of pools: windows side by side; pixels left over at the end are cut."""

    __slots__ = ()

    size: PoolSize

    @property
    def step(self) -> tuple[int, int]:
        """Return how far the next window down and the next one to the right are away."""
        return both(self.size)

    @property
    def margin(self) -> tuple[int, int]:
        """Return the rows above and below, and the columns on either side, that are added."""
        return 0, 0

    def output(self, shape: Shape) -> Shape:
        """Slide the window; pixels left over at the end are cut."""
        return shape[0], *slide(shape, both(self.size), self.step, self.margin)

    def smallest_input(self, sides: tuple[int, int]) -> tuple[int, int]:
        """Return the sides that leave as many positions for the window."""
        return smallest_map(sides, both(self.size), self.step, self.margin)

    def window(self, shape: Shape) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the size and the step."""
        return both(self.size), self.step


@dataclass(frozen=True, slots=True)
class Pool(Pooling):
    """``maxpool2``, ``avgpool3 stride2 pad1``: the maximum or the mean of each window.

    Padding is no pixel of a maximum, and zeros in a mean. The windows lie side by side unless a
    stride is given; a stride of the size is the same as none.
    """

    kind: Literal["max", "avg"]
    size: PoolSize
    padding: Padding = 0
    stride: PoolStride = None

    spelling: ClassVar[Spelling] = Spelling(
        {"maxpool": {"kind": "max"}, "avgpool": {"kind": "avg"}},
        "size",
        modifiers=("padding", "stride"),
    )

    def __post_init__(self) -> None:
        if self.kind not in ("max", "avg"):
            raise LayerError(f'"{self.kind}" is not a kind of pool ("max" or "avg")')
        Pooling.__post_init__(self)
        if self.stride == self.size:
            object.__setattr__(self, "stride", None)
        most = tuple(size // 2 for size in both(self.size))
        if any(side > half for side, half in zip(both(self.padding), most, strict=True)):
            raise LayerError(
                f'"pad{spell_number(self.padding)}" is more than half of the window of "{self}"; '
                f"give at most pad{'x'.join(map(str, dict.fromkeys(most)))}"
            )

    @property
    def step(self) -> tuple[int, int]:
        """Return the stride, by default the size."""
        return both(self.size if self.stride is None else self.stride)

    @property
    def margin(self) -> tuple[int, int]:
        """Return the padding."""
        return both(self.padding)

    def module(self, shape: Shape, *, flat: bool = False) -> TorchCall:
        """Return the pool of the kind."""
        return TorchCall(f"{self.kind.capitalize()}Pool2d", (self.size,), self._options())

    def function(self) -> TorchCall:
        """Return the function of the kind."""
        return TorchCall(f"{self.kind}_pool2d", (self.size,), self._options())

    def _options(self) -> dict[str, Argument]:
        options: dict[str, Argument] = {}
        if self.stride is not None:
            options["stride"] = self.stride
        if self.padding:
            options["padding"] = self.padding
        return options


class WholeMap(Operation):
    """The base of ``gap`` and ``linear``: one output pixel that sees the whole map."""

    __slots__ = ()

    def smallest_input(self, sides: tuple[int, int]) -> tuple[int, int]:
        """Return 1 and 1: any map is large enough."""
        return 1, 1

    def window(self, shape: Shape) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the sides of the map."""
        return shape[1:], (1, 1)


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

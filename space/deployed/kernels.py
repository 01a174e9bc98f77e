"""The kernels that a deployed network is made of, and the values that they read and write.

A kernel is one function of the generated code, with its arguments. Norms are folded into the
kernel before them where they can be, activations are part of the kernel that gives their input, and
element-wise kernels work in place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from space.layers.operations import Conv, Depthwise, Gap, Linear, Pool
from space.layers.spelling import both
from space.layers.words import Shape, elements

__all__ = [
    "Affine",
    "Deployed",
    "GroupNormalise",
    "Image",
    "Kernel",
    "Multiply",
    "PoolMap",
    "Sum",
    "Table",
    "Value",
    "Window",
]

Kernel: TypeAlias = "Image | Multiply | PoolMap | Sum | Affine | Table | GroupNormalise"


@dataclass(frozen=True, slots=True)
class Value:
    """What a kernel reads or writes: one map.

    Attributes:
        shape: channels, height, width; in memory the channels of a pixel lie side by side.
        buffer: the piece of memory that holds it. Values of one buffer follow each other.
    """

    shape: Shape
    buffer: int


@dataclass(frozen=True, slots=True)
class Window:
    """The pixels that a kernel reads for one pixel that it writes.

    Attributes:
        size: height and width.
        stride: how far the next window down and the next one to the right are away.
        padding: rows above and below the map, and columns on either side.
        dilation: how far the pixels of a window are apart.
    """

    size: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True)
class Image:
    """Makes the first map of an image's pixels, in place.

    Attributes:
        source: index of the value that it reads, the pixels.
        target: index of the value that it writes.
        relu: it never is one.
    """

    source: int
    target: int
    relu: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Multiply:
    """A convolution or a linear layer, with all that is done to a value before it is stored.

    In this order: the norms that are folded into the weights, ``rectify``, the norms behind the
    activation, ``activation``, the greatest of a window, ``relu``.

    Attributes:
        source: index of the value that it reads.
        target: index of the value that it writes.
        word: the layer.
        path: of its module.
        norms: paths of the norms that its weights take over, in their order.
        rectify: whether values below 0 become 0 before the norms behind it.
        scaled: paths of the norms behind it.
        activation: another activation than relu, applied value by value; None for none.
        activation_path: of its module.
        pool: the pool whose windows lie side by side; None for none.
        relu: whether values below 0 become 0 at the end.
    """

    source: int
    target: int
    word: Conv | Depthwise | Linear
    path: str
    norms: tuple[str, ...] = ()
    rectify: bool = False
    scaled: tuple[str, ...] = ()
    activation: str | None = None
    activation_path: str = ""
    pool: Pool | None = None
    relu: bool = False

    @property
    def weights_key(self) -> tuple[str, tuple[str, ...]]:
        """Return what is equal for kernels that have the same folded weights."""
        return self.path, self.norms

    def window(self, shape: Shape) -> Window:
        """Return what it reads of a map of ``shape`` for one value before the pool."""
        word = self.word
        if isinstance(word, Linear):
            return Window(shape[1:])
        return Window(both(word.kernel), both(word.stride), both(word.padding), both(word.dilation))

    def groups(self, shape: Shape) -> int:
        """Return the groups of channels of a map of ``shape``."""
        if isinstance(self.word, Linear):
            return 1
        return self.word.groups if isinstance(self.word, Conv) else shape[0]


@dataclass(frozen=True, slots=True)
class PoolMap:
    """The greatest or the mean of each window.

    Attributes:
        source: index of the value that it reads.
        target: index of the value that it writes.
        word: the pool.
        relu: whether values below 0 become 0 at the end.
    """

    source: int
    target: int
    word: Pool | Gap
    relu: bool = False

    def window(self, shape: Shape) -> Window:
        """Return what it reads of a map of ``shape``."""
        if isinstance(self.word, Gap):
            return Window(shape[1:])
        return Window(both(self.word.size), self.word.step, self.word.margin)

    @property
    def is_mean(self) -> bool:
        """Return whether it takes the mean."""
        return isinstance(self.word, Gap) or self.word.kind == "avg"


@dataclass(frozen=True, slots=True)
class Sum:
    """The sum of two maps.

    Attributes:
        source: index of the value that is the current map.
        other: index of the value that was kept.
        target: index of the value that it writes.
        relu: whether values below 0 become 0 at the end.
    """

    source: int
    other: int
    target: int
    relu: bool = False


@dataclass(frozen=True, slots=True)
class Affine:
    """A scale and a shift for each channel: norms that no weights take over.

    Attributes:
        source: index of the value that it reads.
        target: index of the value that it writes.
        norms: their paths, in their order; none for relu alone.
        relu: whether values below 0 become 0 at the end.
    """

    source: int
    target: int
    norms: tuple[str, ...] = ()
    relu: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """An activation that no kernel before it can apply.

    Attributes:
        source: index of the value that it reads.
        target: index of the value that it writes.
        activation: its word.
        path: of its module.
        relu: it never is one.
    """

    source: int
    target: int
    activation: str
    path: str
    relu: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class GroupNormalise:
    """The norm of each image over groups of its channels.

    Attributes:
        source: index of the value that it reads.
        target: index of the value that it writes.
        groups: how many.
        path: of its module.
        relu: whether values below 0 become 0 at the end.
    """

    source: int
    target: int
    groups: int
    path: str
    relu: bool = False


@dataclass(frozen=True)
class Deployed:
    """A network as a chip runs it.

    Attributes:
        values: everything that kernels read and write; the first is the image, the last kernel
            writes the logits.
        kernels: in the order in which they run.
    """

    values: tuple[Value, ...]
    kernels: tuple[Kernel, ...]

    @property
    def logits(self) -> int:
        """Return the index of the value that holds the logits."""
        return self.kernels[-1].target

    @property
    def buffers(self) -> tuple[int, ...]:
        """Return the number of elements of each buffer."""
        sizes = [0] * (1 + max(value.buffer for value in self.values))
        for value in self.values:
            sizes[value.buffer] = max(sizes[value.buffer], elements(value.shape))
        return tuple(sizes)

    @property
    def last_reads(self) -> tuple[tuple[int, ...], ...]:
        """Return for each kernel the values that no later one reads, but for the logits."""
        found: dict[int, int] = {}
        for number, kernel in enumerate(self.kernels):
            found |= dict.fromkeys((*self.reads(kernel), kernel.target), number)
        found.pop(self.logits)
        done: list[list[int]] = [[] for _ in self.kernels]
        for value, number in found.items():
            done[number].append(value)
        return tuple(map(tuple, done))

    def reads(self, kernel: Kernel) -> tuple[int, ...]:
        """Return the indices of the values that a kernel reads."""
        return (kernel.source, kernel.other) if isinstance(kernel, Sum) else (kernel.source,)

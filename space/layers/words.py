"""What all words of the layer language share, and the words that keep the size of a map.

A map is a ``Shape``: channels, height, width, for one image. ``ElementWise`` words keep it;
``Operation`` words, in ``space.operations``, make a new one; ``Again`` stands alone on its line.
A word knows its one canonical spelling, ``str(word)``, and its arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from space.errors import LayerError
from space.layers.activations import ACTIVATIONS, ActivationEntry

Shape = tuple[int, int, int]

MAX_CHANNELS = 65536
MAX_LINES = 64


def format_shape(shape: Shape) -> str:
    """Write a shape as ``16x3x3``: channels, height, width."""
    return "x".join(map(str, shape))


def elements(shape: Shape) -> int:
    """Count the numbers in a map."""
    return shape[0] * shape[1] * shape[2]


def check_whole(what: str, value: object, low: int, high: int) -> None:
    """Refuse what is not a whole number from ``low`` to ``high``.

    Raises:
        LayerError: it is not; the message calls it ``what``.
    """
    if type(value) is not int or not low <= value <= high:
        raise LayerError(f'"{value}" is not {what} (a whole number from {low} to {high})')


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a line."""

    def output(self, shape: Shape) -> Shape:
        """Give the map after this word; a side below 1 means that the map vanished."""
        return shape

    def smallest_input(self, side: int) -> int:
        """Give the smallest input side, in pixels, that leaves at least ``side`` pixels."""
        return side

    def fan_in(self, shape: Shape) -> int:
        """Give the size of the input that this word's weights are made for; 0 without weights."""
        return 0

    def parameters(self, shape: Shape) -> int:
        """Count the trainable parameters for an input of ``shape``."""
        return 0

    def macs(self, shape: Shape) -> int:
        """Count the multiplications for one image of ``shape``, biases and scales apart."""
        return 0


@dataclass(frozen=True, slots=True)
class Operation(Word):
    """A word that makes a new map; at most one to a line."""

    def window(self, shape: Shape) -> tuple[int, int]:
        """Give the side and the step, in pixels of its input, of what one output pixel sees."""
        return 1, 1


@dataclass(frozen=True, slots=True)
class ElementWise(Word):
    """A word that works on each element, in place."""


@dataclass(frozen=True, slots=True)
class Activation(ElementWise):
    """An activation function by its word in ``ACTIVATIONS``, such as ``relu``."""

    name: str

    def __post_init__(self) -> None:
        if self.name not in ACTIVATIONS:
            raise LayerError(f'"{self.name}" is not an activation ({", ".join(ACTIVATIONS)})')

    def __str__(self) -> str:
        return self.name

    @property
    def entry(self) -> ActivationEntry:
        """What the table says of it."""
        return ACTIVATIONS[self.name]


@dataclass(frozen=True, slots=True)
class BatchNorm(ElementWise):
    """``bn``: batch normalisation with one scale and one shift to a channel."""

    def __str__(self) -> str:
        return "bn"

    def fan_in(self, shape: Shape) -> int:
        """Give the number of channels."""
        return shape[0]

    def parameters(self, shape: Shape) -> int:
        """Count scales and shifts; running statistics are not trained."""
        return 2 * shape[0]


@dataclass(frozen=True, slots=True)
class Dropout(ElementWise):
    """``drop0.1``: element-wise dropout; the rate is above 0 and below 1."""

    rate: float

    def __post_init__(self) -> None:
        if type(self.rate) is not float or not 0 < self.rate < 1:
            raise LayerError(f'"{self.rate}" is not a dropout rate (above 0 and below 1)')

    def __str__(self) -> str:
        # repr() is the shortest text that reads back as the same number, but may have an exponent.
        return f"drop{Decimal(repr(self.rate)):f}"


@dataclass(frozen=True, slots=True)
class Skip(ElementWise):
    """``skip``, ``skip3``: adds the input of this line, or of the line ``lines - 1`` before."""

    lines: int = 1

    def __post_init__(self) -> None:
        check_whole("a number of lines", self.lines, 1, MAX_LINES)

    def __str__(self) -> str:
        return "skip" if self.lines == 1 else f"skip{self.lines}"


@dataclass(frozen=True, slots=True)
class Again(Word):
    """``again``, ``again3``: applies the last line, or lines, once more with the same weights."""

    lines: int = 1

    def __post_init__(self) -> None:
        check_whole("a number of lines", self.lines, 1, MAX_LINES)

    def __str__(self) -> str:
        return "again" if self.lines == 1 else f"again{self.lines}"

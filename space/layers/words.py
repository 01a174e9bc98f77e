"""What all words of the layer language share, and the words that keep the size of a map.

A map is a ``Shape``: channels, height, width, for one image. ``ElementWise`` words keep it;
``Operation`` words, in ``space.layers.operations``, make a new one; ``Again`` stands alone on its
line. A class of words defines everything about them: how they are spelled, what they do to the
shape and the cost, and which module of torch they are. ``space.layers.vocabulary`` lists them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log
from typing import Annotated, ClassVar, Literal, TypeAlias

from space.errors import LayerError
from space.layers.activations import ACTIVATIONS, ActivationEntry
from space.layers.spelling import (
    Rate,
    Spelling,
    Whole,
    defaults_of,
    numbers_of,
    spell_modifier,
    spell_number,
)
from space.layers.torch_call import TorchCall

Shape: TypeAlias = tuple[int, int, int]

MAX_CHANNELS = 65536
MAX_LINES = 64
MAX_PARTS = 64

Lines: TypeAlias = Annotated[int, Whole("number of lines", 1, MAX_LINES, example="3")]
BatchParts: TypeAlias = Annotated[int, Whole("number of parts", 2, MAX_PARTS, example="4")]
NormGroups: TypeAlias = Annotated[int, Whole("number of groups", 2, MAX_CHANNELS, example="4")]
DropoutRate: TypeAlias = Annotated[float, Rate("dropout rate", example="0.1")]


def format_shape(shape: Shape) -> str:
    """Write a shape as ``16x3x3``: channels, height, width."""
    return "x".join(map(str, shape))


def elements(shape: Shape) -> int:
    """Count the numbers in a map."""
    return shape[0] * shape[1] * shape[2]


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a line.

    A class of words declares how they are written and overrides what differs from a word that
    changes nothing: the arithmetic below, and the module of torch.

    Attributes:
        spelling: how the words of the class are written.
        takes: whether the module takes maps (n, channels, height, width), flat features
            (n, features), or either of them.
        gives_fresh_map: whether the word after it may overwrite what it gives: nothing else reads
            that tensor, and the gradient of this word does not need it.
        is_norm: whether ``again norms`` applies a module of its own rather than the same one.

    Raises:
        LayerError: a field holds a number that is out of its range.
    """

    spelling: ClassVar[Spelling]
    takes: ClassVar[Literal["maps", "features", "either"]] = "maps"
    gives_fresh_map: ClassVar[bool] = False
    is_norm: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for name, number in numbers_of(type(self)).items():
            value = getattr(self, name)
            if value is not None or defaults_of(type(self)).get(name, value) is not None:
                number.check(value)

    def __str__(self) -> str:
        spelling, defaults = self.spelling, defaults_of(type(self))
        text = self.stem
        if spelling.number and (number := getattr(self, spelling.number)) != defaults.get(
            spelling.number
        ):
            text += spell_number(number)
        if spelling.count:
            text += f" {spell_number(getattr(self, spelling.count))}"
        for name in spelling.modifiers:
            if (value := getattr(self, name)) != defaults[name]:
                text += f" {spell_modifier(name, value)}"
        return text

    @property
    def stem(self) -> str:
        """Return the letters that the word begins with; its module has the same name."""
        return next(
            stem
            for stem, fixed in self.spelling.stems.items()
            if all(getattr(self, name) == value for name, value in fixed.items())
        )

    @property
    def works_in_place(self) -> bool:
        """Return whether the module takes ``inplace=True`` and may then overwrite its input."""
        return False

    def misfit(self, shape: Shape) -> tuple[str, float] | None:
        """Return why the word cannot take a map, other than that the map is too small.

        Returns:
            The reason, and how far off it is as the logarithm of a ratio of sizes; None for a map
            that it can take.
        """
        return None

    def parts(self) -> tuple[tuple[str, Word], ...]:
        """Split the word into those that have a module each, with their names inside this one.

        A word with one module is its only part, without a name.
        """
        return (("", self),)

    def module(self, shape: Shape, *, flat: bool = False) -> TorchCall:
        """Return the module of ``torch.nn`` for an input of ``shape``.

        Args:
            shape: the map that comes in.
            flat: whether it comes as flat features (n, features) rather than as maps.

        Raises:
            TypeError: words of this class have no module.
        """
        raise TypeError(f'"{self}" has no module')

    def trained_module(self, shape: Shape) -> TorchCall:
        """Return the module that the network is trained with, for maps of ``shape``.

        Where it is not that of ``module``, which is deployed, it has the same weights under the
        same names and does the same in evaluation.
        """
        return self.module(shape)

    def function(self) -> TorchCall | None:
        """Return the function of ``torch.nn.functional`` that does the same; None without one.

        Only words without weights can have one.
        """
        return None

    def output(self, shape: Shape) -> Shape:
        """Return the map after this word; a side below 1 means that the map vanished."""
        return shape

    def smallest_input(self, sides: tuple[int, int]) -> tuple[int, int]:
        """Return the smallest height and width, in pixels, that leave at least ``sides``."""
        return sides

    def fan_in(self, shape: Shape) -> int:
        """Return the size of the input that this word's weights are made for; 0 without weights."""
        return 0

    def parameters(self, shape: Shape) -> int:
        """Count the trainable parameters for an input of ``shape``."""
        return 0

    def macs(self, shape: Shape) -> int:
        """Count the multiplications for one image of ``shape``, biases and scales apart."""
        return 0


@dataclass(frozen=True, slots=True)
class Operation(Word):
    """A word that makes a new map; a line has at most one."""

    def window(self, shape: Shape) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return what one output pixel sees, in pixels of the input.

        Returns:
            Height and width of the window, and how far the next one down and the next one to the
            right are away.
        """
        return (1, 1), (1, 1)


@dataclass(frozen=True, slots=True)
class ElementWise(Word):
    """A word that keeps the shape of its map and, for the cost, works in place."""


@dataclass(frozen=True, slots=True)
class Activation(ElementWise):
    """An activation function by its word in ``ACTIVATIONS``, such as ``relu``."""

    name: str

    spelling: ClassVar[Spelling] = Spelling({word: {"name": word} for word in ACTIVATIONS})
    takes: ClassVar[Literal["either"]] = "either"

    def __post_init__(self) -> None:
        if self.name not in ACTIVATIONS:
            raise LayerError(f'"{self.name}" is not an activation ({", ".join(ACTIVATIONS)})')

    @property
    def entry(self) -> ActivationEntry:
        """Return its entry in the table."""
        return ACTIVATIONS[self.name]

    @property
    def works_in_place(self) -> bool:
        """Return whether the table says so."""
        return self.entry.in_place

    def parameters(self, shape: Shape) -> int:
        """Count what the table says."""
        return self.entry.parameters

    def module(self, shape: Shape, *, flat: bool = False) -> TorchCall:
        """Return the module that the table names."""
        return TorchCall(self.entry.module)

    def function(self) -> TorchCall | None:
        """Return the function that the table names."""
        return None if self.entry.function is None else TorchCall(self.entry.function)


@dataclass(frozen=True, slots=True)
class BatchNorm(ElementWise):
    """``bn``, ``bn noscale``: batch normalisation with one shift and one scale for each channel.

    Where a convolution or a linear layer follows, straight or behind activations and pools for
    which f(a x) = a f(x) for any a above 0, as for ``relu``, its weights can take over the scale.
    """

    scale: bool = field(default=True, kw_only=True)

    spelling: ClassVar[Spelling] = Spelling.of("bn", modifiers=("scale",))
    is_norm: ClassVar[bool] = True
    takes: ClassVar[Literal["either"]] = "either"
    gives_fresh_map: ClassVar[bool] = True

    def fan_in(self, shape: Shape) -> int:
        """Return the number of channels."""
        return shape[0]

    def parameters(self, shape: Shape) -> int:
        """Count scales and shifts; running statistics are not trained."""
        return (1 + self.scale) * shape[0]

    def module(self, shape: Shape, *, flat: bool = False) -> TorchCall:
        """Return the module for maps, or for flat features."""
        name = "BatchNorm1d" if flat else "BatchNorm2d"
        return TorchCall(name, (shape[0],), without=self._without)

    @property
    def _without(self) -> str | None:
        return None if self.scale else "weight"


@dataclass(frozen=True, slots=True)
class GhostBatchNorm(BatchNorm):
    """``gbn4``: batch normalisation over 4 parts of each batch (Hoffer et al., 2017, 1705.08741).

    In evaluation it is ``bn``, and a deployed network has that in its place.
    """

    parts_of_batch: BatchParts

    spelling: ClassVar[Spelling] = Spelling.of("gbn", "parts_of_batch", modifiers=("scale",))

    def trained_module(self, shape: Shape) -> TorchCall:
        """Return the module that takes statistics of the parts while it trains."""
        arguments = (shape[0], self.parts_of_batch)
        return TorchCall("GhostBatchNorm2d", arguments, without=self._without)


def _single(word: Word, shape: Shape, groups: int) -> tuple[str, float] | None:
    """Refuse a norm of groups of one value, each of which would become 0."""
    if elements(shape) > groups:
        return None
    return f'"{word}" would normalise single values ({format_shape(shape)})', log(2)


@dataclass(frozen=True, slots=True)
class LayerNorm(ElementWise):
    """``ln``: normalisation of each image over its whole map (Ba et al., 2016, arXiv 1607.06450).

    With one scale and one shift for each channel, so that it takes maps of any size.
    """

    spelling: ClassVar[Spelling] = Spelling.of("ln")
    is_norm: ClassVar[bool] = True
    takes: ClassVar[Literal["either"]] = "either"
    gives_fresh_map: ClassVar[bool] = True

    def misfit(self, shape: Shape) -> tuple[str, float] | None:
        """Refuse a map of one value, which would become 0."""
        return _single(self, shape, 1)

    def fan_in(self, shape: Shape) -> int:
        """Return the number of channels."""
        return shape[0]

    def parameters(self, shape: Shape) -> int:
        """Count scales and shifts."""
        return 2 * shape[0]

    def module(self, shape: Shape, *, flat: bool = False) -> TorchCall:
        """Return the norm of one group."""
        return TorchCall("GroupNorm", (1, shape[0]))


@dataclass(frozen=True, slots=True)
class GroupNorm(LayerNorm):
    """``gn4``: normalisation of each image over 4 groups of its channels.

    After Wu & He, 2018, arXiv 1803.08494; with one scale and one shift for each channel.
    """

    groups: NormGroups

    spelling: ClassVar[Spelling] = Spelling.of("gn", number="groups")

    def misfit(self, shape: Shape) -> tuple[str, float] | None:
        """Refuse channels that the groups do not divide, and groups of one value."""
        channels, groups = shape[0], self.groups
        if channels % groups == 0:
            return _single(self, shape, groups)
        return (
            f'"{self}" does not divide {channels} channels ({format_shape(shape)})',
            log(-(-channels // groups) * groups / channels),
        )

    def module(self, shape: Shape, *, flat: bool = False) -> TorchCall:
        """Return the norm of the groups."""
        return TorchCall("GroupNorm", (self.groups, shape[0]))


@dataclass(frozen=True, slots=True)
class Dropout(ElementWise):
    """``drop0.1``: element-wise dropout; the rate is above 0 and below 1."""

    rate: DropoutRate

    spelling: ClassVar[Spelling] = Spelling.of("drop", number="rate")
    takes: ClassVar[Literal["maps", "features", "either"]] = "either"

    def module(self, shape: Shape, *, flat: bool = False) -> TorchCall:
        """Return the module, which drops in training only."""
        return TorchCall("Dropout", (self.rate,))

    def function(self) -> TorchCall:
        """Return the function, which drops in training only."""
        return TorchCall("dropout", (self.rate,), takes_training=True)


@dataclass(frozen=True, slots=True)
class Dropout2d(Dropout):
    """``dropout2d0.1``: dropout of whole channels of an image; the rate is above 0 and below 1."""

    spelling: ClassVar[Spelling] = Spelling.of("dropout2d", number="rate")
    takes: ClassVar[Literal["maps", "features", "either"]] = "maps"

    def module(self, shape: Shape, *, flat: bool = False) -> TorchCall:
        """Return the module, which drops in training only."""
        return TorchCall("Dropout2d", (self.rate,))

    def function(self) -> TorchCall:
        """Return the function, which drops in training only."""
        return TorchCall("dropout2d", (self.rate,), takes_training=True)


@dataclass(frozen=True, slots=True)
class Skip(ElementWise):
    """``skip``, ``skip3``: add the input of this line, or of the line ``lines - 1`` before."""

    lines: Lines = 1

    spelling: ClassVar[Spelling] = Spelling.of("skip", number="lines")
    gives_fresh_map: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Again(Word):
    """``again``, ``again3 norms``: apply the last line, or lines, once more with the same weights.

    With ``norms`` each norm of these lines is another one, with weights and statistics of its own.
    """

    lines: Lines = 1
    norms: bool = False

    spelling: ClassVar[Spelling] = Spelling.of("again", "lines", modifiers=("norms",))

"""Apply the lines of an architecture to shapes, and refuse lines that do not fit together.

Skips and repetitions refer to the expanded sequence of applications: ``againN`` repeats the last N
applications, and ``skipN`` adds the input of the application N - 1 before its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import NamedTuple, NoReturn, TypeAlias

from space.errors import ShapeError
from space.layers.layer import Layer
from space.layers.operations import Convolution, Pool, WholeMap
from space.layers.spelling import spell_modifier
from space.layers.words import Again, Operation, Shape, Skip, format_shape

# Keeps the arithmetic finite when a text repeats a pool a hundred times.
_BEYOND_ANY_INPUT = 10**9


Norms: TypeAlias = tuple[int, int]


class _Use(NamedTuple):
    """An application before its shapes are known; as in :class:`Application`."""

    line: int
    source: int
    norms: Norms | None = None


class Application(NamedTuple):
    """One line applied to one map.

    Attributes:
        line: index of the line in the text that asks for it (an ``again`` line for a repetition).
        source: index of the line whose words and weights are applied.
        shapes: the map that enters the line, then the map after each of its words.
        norms: whose norms are applied: None for those of the line, else the index of the line
            ``again norms`` that has them, and the number, from 1, of its application.
    """

    line: int
    source: int
    shapes: tuple[Shape, ...]
    norms: Norms | None = None


def apply_lines(layers: Sequence[Layer], input_shape: Shape) -> tuple[Application, ...]:
    """Apply the lines to the shape of an input, in order, repetitions written out.

    Returns:
        Every application of a line, with the map that enters it and the map after each word.

    Raises:
        ShapeError: a map vanishes; a skip, an again or groups do not fit.
    """
    applied: list[Application] = []
    first: dict[int, tuple[Shape, ...]] = {}
    inputs: list[Shape] = []
    shape = input_shape
    for line, source, norms in _expand(layers):
        place = _Place(layers, line, source)
        inputs.append(shape)
        shapes = [shape]
        for word in layers[source].words:
            if isinstance(word, Skip):
                _check_skip(place, word, shape, inputs)
            elif misfit := word.misfit(shape):
                place.refuse(*misfit)
            if isinstance(word, Operation):
                shape = word.output(shapes[-1])
                if shape[1] < 1 or shape[2] < 1:
                    _refuse_vanished(place, word, shapes[-1], input_shape)
            shapes.append(shape)
        made_for = first.setdefault(source, tuple(shapes))
        if line != source:
            _check_shared(place, made_for, shapes)
        applied.append(Application(line, source, tuple(shapes), norms))
    return tuple(applied)


def _expand(layers: Sequence[Layer]) -> list[_Use]:
    """List every application, repetitions written out.

    Raises:
        ShapeError: an ``again`` reaches back before the first line.
    """
    sequence: list[_Use] = []
    for line, layer in enumerate(layers):
        again = layer.again
        if again is None:
            sequence.append(_Use(line, line))
        elif again.lines <= len(sequence):
            sequence += [
                _Use(line, use.source, (line, number) if again.norms else use.norms)
                for number, use in enumerate(sequence[-again.lines :], 1)
            ]
        else:
            _Place(layers, line, line).refuse(
                f'"{again}" reaches back before the first line; '
                + (f"at most {Again(len(sequence))} here" if sequence else "remove it"),
                log((again.lines + 1) / (len(sequence) + 1)),
            )
    return sequence


@dataclass(frozen=True)
class _Place:
    """The place where something does not fit: the line that asks and the line that is applied."""

    layers: Sequence[Layer]
    line: int
    source: int

    def __str__(self) -> str:
        place = f'line {self.line + 1} "{self.layers[self.line]}"'
        if self.line == self.source:
            return place
        return f'{place} (line {self.source + 1} "{self.layers[self.source]}")'

    def refuse(self, what: str, violation: float) -> NoReturn:
        raise ShapeError(f"{self}: {what}", self.line, violation)


def _check_skip(place: _Place, skip: Skip, shape: Shape, inputs: list[Shape]) -> None:
    if skip.lines > len(inputs):
        place.refuse(
            f'"{skip}" reaches back before the first line; at most {Skip(len(inputs))} here',
            log(skip.lines / len(inputs)),
        )
    kept = inputs[-skip.lines]
    if kept != shape:
        place.refuse(
            f'"{skip}" cannot add {format_shape(kept)} to {format_shape(shape)}; '
            "a skip needs equal shapes",
            sum(abs(log(a / b)) for a, b in zip(kept, shape, strict=True)),
        )


def _refuse_vanished(
    place: _Place, operation: Operation, shape: Shape, input_shape: Shape
) -> NoReturn:
    (height, width), _ = operation.window(shape)
    what = f"a {height}x{width} {'kernel' if isinstance(operation, Convolution) else 'window'}"
    if isinstance(operation, Convolution | Pool) and operation.padding:
        what += f" with {spell_modifier('padding', operation.padding)}"
    needed, whole = _needed(place.layers)
    sides = "x".join(map(str, needed))
    if whole is None:
        advice, given = f"the lines need an input of at least {sides}", input_shape
    else:
        advice, given = f'the lines after "{whole}" need at least {sides}', (1, 1, 1)
    place.refuse(
        f"{what} does not fit the {shape[1]}x{shape[2]} map ({format_shape(shape)}); {advice}",
        max(log(least / side) for least, side in zip(needed, given[1:], strict=True)),
    )


def _needed(layers: Sequence[Layer]) -> tuple[tuple[int, int], WholeMap | None]:
    """Walk backwards to the smallest input, in pixels, on which no map vanishes.

    After a ``gap`` or ``linear`` the map is one pixel whatever the input was: when the lines after
    it need more, that many pixels are the answer, with the word that is in the way.
    """
    sides = (1, 1)
    for use in reversed(_expand(layers)):
        for word in reversed(layers[use.source].words):
            if max(sides) > 1 and isinstance(word, WholeMap):
                return sides, word
            height, width = word.smallest_input(sides)
            sides = min(height, _BEYOND_ANY_INPUT), min(width, _BEYOND_ANY_INPUT)
    return sides, None


def _check_shared(place: _Place, made_for: Sequence[Shape], shapes: Sequence[Shape]) -> None:
    words = place.layers[place.source].words
    for word, first, shape in zip(words, made_for, shapes, strict=False):
        if word.fan_in(first) != word.fan_in(shape):
            place.refuse(
                f'the weights of "{word}" were made for {format_shape(first)} and cannot take '
                f"{format_shape(shape)}",
                abs(log(word.fan_in(first) / word.fan_in(shape))),
            )

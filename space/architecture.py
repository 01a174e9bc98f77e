"""An architecture: an input shape and lines in order; a plain value with one text form."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import log

from space.errors import LayerError, ShapeError
from space.layers import Layer
from space.layers.shapes import Application, trace
from space.layers.words import MAX_CHANNELS, Shape, format_shape

DEFAULT_INPUT: Shape = (1, 28, 28)
FORMAT_VERSION = 1

_INPUT = re.compile(r"\s*input\s+([0-9]{1,9})x([0-9]{1,9})x([0-9]{1,9})\s*")


@dataclass(frozen=True)
class Architecture:
    """An immutable description of one network.

    Attributes:
        input_shape: channels, height and width of an image.
        layers: the lines, at least one; of both a list is taken too, and becomes a tuple.

    The constructor refuses an empty or impossible value but does not check that the layers fit
    together: that is ``check``, which ``parse`` calls.

    Raises:
        LayerError: no layers, something that is no layer, or an input shape that is not three
            positive whole numbers.
    """

    input_shape: Shape
    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        sizes = tuple(self.input_shape)
        layers = tuple(self.layers)
        object.__setattr__(self, "input_shape", sizes)
        object.__setattr__(self, "layers", layers)
        if len(sizes) != 3 or any(
            type(size) is not int or not 1 <= size <= MAX_CHANNELS for size in sizes
        ):
            raise LayerError(
                f"{sizes!r} is not an input shape: channels, height and width, "
                f"each a whole number from 1 to {MAX_CHANNELS}"
            )
        if not layers:
            raise LayerError("an architecture needs at least one line, such as gap")
        for layer in layers:
            if not isinstance(layer, Layer):
                raise LayerError(f"{layer!r} is not a Layer; Architecture.parse reads text")

    @classmethod
    def parse(
        cls, text_or_lines: str | Iterable[str], input_shape: Shape = DEFAULT_INPUT
    ) -> Architecture:
        """Read the text form: a string, or lines; blank lines are ignored.

        A first line such as ``input 3x32x32`` overrides ``input_shape``. Messages count lines
        from 1, without blank lines and the input line.

        Raises:
            LayerError: a line is not the layer language.
            ShapeError: the lines do not fit together.
        """
        given = text_or_lines.splitlines() if isinstance(text_or_lines, str) else text_or_lines
        lines = [line for line in given if not isinstance(line, str) or line.strip()]
        if lines and isinstance(lines[0], str) and lines[0].split()[0] == "input":
            input_shape = _parse_input(lines.pop(0))
        architecture = cls(input_shape, _parse_layers(lines))
        architecture.check()
        return architecture

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> Architecture:
        """Read what ``to_json`` wrote; like the constructor, without checking shapes.

        Raises:
            LayerError: another format version, or not such a value.
        """
        if not isinstance(value, Mapping) or value.get("version") != FORMAT_VERSION:
            raise LayerError(f'an architecture in JSON needs "version": {FORMAT_VERSION}')
        sizes, lines = value.get("input"), value.get("layers")
        if not isinstance(sizes, list | tuple) or len(sizes) != 3:
            raise LayerError(f'"input": {sizes!r} is not a shape, such as [1, 28, 28]')
        if not isinstance(lines, list | tuple):
            raise LayerError(f'"layers": {lines!r} is not a list of lines')
        return cls((sizes[0], sizes[1], sizes[2]), _parse_layers(lines))

    def to_json(self) -> dict[str, object]:
        """Give plain lists and strings: version, input, layers."""
        return {
            "version": FORMAT_VERSION,
            "input": list(self.input_shape),
            "layers": [str(layer) for layer in self.layers],
        }

    def __str__(self) -> str:
        lines = [str(layer) for layer in self.layers]
        if self.input_shape != DEFAULT_INPUT:
            lines.insert(0, f"input {format_shape(self.input_shape)}")
        return "\n".join(lines)

    @cached_property
    def applications(self) -> tuple[Application, ...]:
        """Every application of a line, agains expanded, with its maps; raises ShapeError."""
        return trace(self.layers, self.input_shape)

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The map (channels, height, width) after each line; raises ShapeError."""
        after = {application.line: application.shapes[-1] for application in self.applications}
        return tuple(after[line] for line in range(len(self.layers)))

    @property
    def classes(self) -> int:
        """The number of logits; raises ShapeError."""
        self.check()
        return self.applications[-1].shapes[-1][0]

    def check(self) -> None:
        """Check that the lines fit together and end in classes x 1 x 1.

        Raises:
            ShapeError: they do not; ``line`` and ``violation`` say where and how far off.
        """
        channels, height, width = shape = self.applications[-1].shapes[-1]
        if (height, width) != (1, 1):
            line = len(self.layers) - 1
            raise ShapeError(
                f'line {line + 1} "{self.layers[line]}": the last line gives {format_shape(shape)} '
                f"and must give {channels}x1x1, the logits; end with gap",
                line,
                log(max(height, width)),
            )

    @cached_property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that are the same for equal architectures, everywhere."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def _parse_input(line: str) -> Shape:
    found = _INPUT.fullmatch(line)
    if found is None:
        raise LayerError(f'"{line.strip()}" is not an input shape, such as "input 3x32x32"')
    return int(found[1]), int(found[2]), int(found[3])


def _parse_layers(lines: Iterable[str]) -> tuple[Layer, ...]:
    layers = []
    for number, line in enumerate(lines, 1):
        try:
            layers.append(Layer.parse(line))
        except LayerError as error:
            raise LayerError(f"line {number} {error}") from None
    return tuple(layers)

"""The description of a network: an input shape and lines in order, with one text form."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from math import log

from space.errors import LayerError, ShapeError
from space.layers import Layer
from space.layers.shapes import Application, apply_lines
from space.layers.words import MAX_CHANNELS, Shape, format_shape

DEFAULT_INPUT: Shape = (1, 28, 28)
"""The input shape of a text without an ``input`` line: an image of MNIST."""

FORMAT_VERSION = 1

_INPUT = re.compile(r"\s*input\s+([0-9]{1,9})x([0-9]{1,9})x([0-9]{1,9})\s*")


@dataclass(frozen=True)
class Architecture:
    """An immutable description of one network.

    It compares and hashes by value. The constructor does not check that the layers fit together:
    ``check`` does, and ``parse`` calls it.

    Attributes:
        input_shape: channels, height and width of an image, each from 1 to 65536. A list is
            accepted and becomes a tuple.
        layers: the lines, at least one. A list is accepted and becomes a tuple.

    Raises:
        LayerError: there are no layers, one of them is not a ``Layer``, or the input shape is not
            three whole numbers in range.
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
                raise LayerError(f"{layer!r} is not a Layer; use Architecture.parse to read text")

    @classmethod
    def parse(
        cls, text_or_lines: str | Iterable[str], input_shape: Shape = DEFAULT_INPUT
    ) -> Architecture:
        """Read the text form and check that the lines fit together.

        Messages count lines from 1; blank lines and the input line do not count.

        Args:
            text_or_lines: a string of lines, or the lines themselves. Blank lines are ignored. A
                first line such as ``input 3x32x32`` overrides ``input_shape``.
            input_shape: channels, height and width of an image.

        Raises:
            LayerError: a line does not follow the layer language.
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
        """Read what ``to_json`` wrote, without checking that the lines fit together.

        Args:
            value: a mapping with the keys ``version``, ``input`` and ``layers``.

        Raises:
            LayerError: the version is another one, or a key is missing or has another type.
        """
        version = value.get("version") if isinstance(value, Mapping) else None
        if version != FORMAT_VERSION:
            raise LayerError(
                f'an architecture in JSON needs "version": {FORMAT_VERSION}, not {version!r}'
            )
        sizes, lines = value.get("input"), value.get("layers")
        if not isinstance(sizes, list | tuple) or len(sizes) != 3:
            raise LayerError(f'"input": {sizes!r} is not a shape, such as [1, 28, 28]')
        if not isinstance(lines, list | tuple):
            raise LayerError(f'"layers": {lines!r} is not a list of lines')
        return cls((sizes[0], sizes[1], sizes[2]), _parse_layers(lines))

    def to_json(self) -> dict[str, object]:
        """Return the architecture as plain lists and strings: version, input, layers."""
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

    def _repr_html_(self) -> str:
        """Show the lines and their maps in a notebook; plain text where they do not fit."""
        try:
            applications = self.applications
        except ShapeError:
            return f"<pre>{escape(str(self))}</pre>"
        rows = [("image", self.input_shape)]
        rows += [(str(self.layers[each.source]), each.shapes[-1]) for each in applications]
        cells = "".join(
            f"<tr><td><code>{escape(text)}</code></td><td>{format_shape(shape)}</td></tr>"
            for text, shape in rows
        )
        return f"<table><tr><th>layer</th><th>map</th></tr>{cells}</table>"

    @cached_property
    def applications(self) -> tuple[Application, ...]:
        """List every application of a line, repetitions written out, with its maps.

        Raises:
            ShapeError: the lines do not fit together.
        """
        return apply_lines(self.layers, self.input_shape)

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """List the map (channels, height, width) after each line.

        Raises:
            ShapeError: the lines do not fit together.
        """
        after = {application.line: application.shapes[-1] for application in self.applications}
        return tuple(after[line] for line in range(len(self.layers)))

    @property
    def classes(self) -> int:
        """Count the logits.

        Raises:
            ShapeError: the lines do not fit together, or do not end in logits.
        """
        self.check()
        return self.applications[-1].shapes[-1][0]

    def check(self) -> None:
        """Check that the lines fit together and end in classes x 1 x 1.

        Raises:
            ShapeError: they do not. Its ``line`` and ``violation`` say where and how far off.
        """
        channels, height, width = shape = self.applications[-1].shapes[-1]
        if (height, width) != (1, 1):
            line = len(self.layers) - 1
            raise ShapeError(
                f'line {line + 1} "{self.layers[line]}": the last line gives {format_shape(shape)} '
                f"and must give {channels}x1x1, one pixel of logits; end with gap",
                line,
                log(max(height, width)),
            )

    @cached_property
    def fingerprint(self) -> str:
        """Return twelve hexadecimal digits, the same for equal architectures on every machine."""
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

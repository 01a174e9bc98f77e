"""One line of a template: text with ``{holes}``, filled by plain substitution."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod

from space.errors import LayerError
from space.fields import Field, Fixed, FloatRange, Scalar, show
from space.layers import Layer

MAX_VARIANTS = 10_000

_HOLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_-]*)\}")
_NUMBER = r"(?:\{[^{}]*\}|[0-9]+)"
_NUMBER_TOKEN = re.compile(rf"(dropout2d|[a-z]*)({_NUMBER}(?:x{_NUMBER})?)")
_DROPOUTS = frozenset({"drop", "dropout2d"})
_NO_DROPOUT = re.compile(r"(?<!\S)(?:drop|dropout2d)(?:0+\.?0*|\.0+)(?!\S)")


@dataclass(frozen=True)
class Variant:
    """One way to fill the holes of a line.

    Attributes:
        values: the value of each hole.
        layer: the filled line; None when nothing is left of it.
    """

    values: Mapping[str, Scalar]
    layer: Layer | None


@dataclass(frozen=True)
class TemplateLine:
    """A line of the layer language in which ``{name}`` stands for a number or for words.

    Raises:
        LayerError: a brace that is not part of a hole.
    """

    text: str

    def __post_init__(self) -> None:
        if any(brace in _HOLE.sub("", self.text) for brace in "{}"):
            raise LayerError(
                f'"{self.text}" has a brace that does not belong to a hole; a hole is {{name}}, '
                "of letters, digits, - and _"
            )

    @property
    def holes(self) -> tuple[str, ...]:
        """List the names of the holes, each once, in order."""
        return tuple(dict.fromkeys(_HOLE.findall(self.text)))

    def stand_alone(self) -> dict[str, bool]:
        """Return for each hole whether it is a word of its own, as a number of channels is."""
        words = self.text.split()
        return {
            name: all(word == hole for word in words if hole in word)
            for name in self.holes
            if (hole := f"{{{name}}}")
        }

    def fill(self, values: Mapping[str, Scalar]) -> Layer | None:
        """Put values into the holes; dropout of rate 0 vanishes, and so does an empty line.

        Raises:
            LayerError: the filled line is not the layer language.
        """
        filled = _NO_DROPOUT.sub("", _substitute(self.text, values))
        return Layer.parse(filled) if filled.strip() else None

    def variants(self, fields: Mapping[str, Field], *, least: bool = False) -> Iterator[Variant]:
        """Yield the line, filled in every way that can make a difference.

        Texts and sizes of kernels, paddings and the like take all their values. A dropout
        rate takes its ends, and so does a width that stands for itself: what is between parses
        when they do.

        Args:
            fields: the field of every hole.
            least: let such widths take their smallest value only.

        Raises:
            LayerError: a filled line is not the layer language, a hole stands where its values
                cannot, or there are more than ``MAX_VARIANTS`` ways.
        """
        texts = {name: fields[name] for name in self.holes if _is_text(fields[name])}
        if prod(field.count() or 1 for field in texts.values()) > MAX_VARIANTS:
            raise _too_many(self.text)
        left = MAX_VARIANTS
        for words in _assignments({name: tuple(texts[name].values()) for name in texts}):
            numbers = self._numbers(_substitute(self.text, words), fields, least=least)
            left -= prod(map(len, numbers.values()))
            if left < 0:
                raise _too_many(self.text)
            for sizes in _assignments(numbers):
                yield self._variant({**words, **sizes})

    def _variant(self, values: dict[str, Scalar]) -> Variant:
        try:
            return Variant(values, self.fill(values))
        except LayerError as error:
            given = " and ".join(f"{name} = {show(value)}" for name, value in values.items())
            raise LayerError(f"with {given}: {error}" if values else str(error)) from None

    def _numbers(
        self, text: str, fields: Mapping[str, Field], *, least: bool
    ) -> dict[str, tuple[Scalar, ...]]:
        """Return the values to try for each number hole of a line whose texts are filled in."""
        prefixes = _prefixes(text)
        grouped = re.search(r"(?<!\S)groups", text) is not None
        found: dict[str, tuple[Scalar, ...]] = {}
        for name, before in prefixes.items():
            field = fields[name]
            decimals = [end for end in _ends(field) if isinstance(end, float)]
            if not before <= _DROPOUTS and decimals:
                worst = next((end for end in decimals if not end.is_integer()), decimals[0])
                raise LayerError(
                    f'"{text}": {{{name}}} takes whole numbers there, not {worst}; '
                    "only a dropout rate may have decimals"
                )
            if before <= _DROPOUTS:
                found[name] = _ends(field)
            elif before == {""} and not grouped:
                found[name] = _ends(field)[:1] if least else _ends(field)
            elif (field.count() or 0) > MAX_VARIANTS:
                raise _too_many(text)
            else:
                found[name] = tuple(field.values())
        return found


def _substitute(text: str, values: Mapping[str, Scalar]) -> str:
    """Fill the holes that have a value."""
    return _HOLE.sub(lambda hole: _render(values.get(hole[1], hole[0])), text)


def _render(value: Scalar) -> str:
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    return str(value)


def _prefixes(text: str) -> dict[str, set[str]]:
    """Return the letters before each number hole, which must end its word."""
    found: dict[str, set[str]] = {}
    for token in text.split():
        if "{" not in token:
            continue
        match = _NUMBER_TOKEN.fullmatch(token)
        if match is None:
            raise LayerError(
                f'"{token}": a hole for a number stands alone or right behind letters, as in '
                "conv{k} {w} or conv{h}x3 {w}"
            )
        for name in _HOLE.findall(match[2]):
            found.setdefault(name, set()).add(match[1])
    return found


def _is_text(field: Field) -> bool:
    return not isinstance(field, FloatRange) and isinstance(field.values()[0], str)


def _ends(field: Field) -> tuple[Scalar, ...]:
    return (field.minimum,) if isinstance(field, Fixed) else (field.minimum, field.maximum)


def _assignments(values: Mapping[str, tuple[Scalar, ...]]) -> Iterator[dict[str, Scalar]]:
    for chosen in product(*values.values()):
        yield dict(zip(values, chosen, strict=True))


def _too_many(text: str) -> LayerError:
    return LayerError(
        f'"{text}" can be filled in more than {MAX_VARIANTS} ways; '
        "give its holes fewer choices or split the line"
    )

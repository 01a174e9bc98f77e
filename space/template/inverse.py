"""Find the values of the holes with which a template makes a given architecture."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from space.architecture import Architecture
from space.errors import LayerError, OutsideSpaceError
from space.fields import Field, FloatRange, Scalar
from space.fields.match import allowed, spelled
from space.layers import Layer
from space.template.line import TemplateLine

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
# What a canonical line leaves out: padding 0, dropout 0, a stride, group, skip or again of 1.
_UNSAID = (0, 1)


def invert(
    lines: Sequence[TemplateLine], fields: Mapping[str, Field], architecture: Architecture
) -> dict[str, Scalar]:
    """Return values for all holes with which a template gives exactly this architecture.

    Raises:
        OutsideSpaceError: there are none; the message names the line at which the best try ended.
    """
    matcher = _Matcher(lines, fields, architecture.layers)
    found = matcher.match(0, 0, {})
    if found is None:
        raise OutsideSpaceError(matcher.explain())
    return found


class _Matcher:
    """A match of the lines of a template with those of an architecture; some may be left out."""

    def __init__(
        self,
        lines: Sequence[TemplateLine],
        fields: Mapping[str, Field],
        target: tuple[Layer, ...],
    ) -> None:
        self._lines = lines
        self._fields = fields
        self._target = target
        self._furthest = (0, 0)
        self._failed: set[tuple[int, int, frozenset[tuple[str, Scalar]]]] = set()

    def match(
        self, line: int, layer: int, values: Mapping[str, Scalar]
    ) -> dict[str, Scalar] | None:
        """Match all from a line of the template and a layer on, with some holes filled."""
        if layer > self._furthest[1]:
            self._furthest = (line, layer)
        if line == len(self._lines):
            return dict(values) if layer == len(self._target) else None
        later = {name for rest in self._lines[line:] for name in rest.holes}
        state = (line, layer, frozenset(item for item in values.items() if item[0] in later))
        if state in self._failed:
            return None
        for wanted in (*self._target[layer : layer + 1], None):
            after = layer if wanted is None else layer + 1
            for filled in self._fill(line, wanted, values):
                found = self.match(line + 1, after, {**values, **filled})
                if found is not None:
                    return found
        self._failed.add(state)
        return None

    def explain(self) -> str:
        """Describe the first layer that no try got past."""
        line, layer = self._furthest
        if layer == len(self._target):
            return f"the network ends where the template goes on with {self._described(line)}"
        place = f'line {layer + 1} "{self._target[layer]}"'
        if line == len(self._lines):
            return f"{place}: the template has no more lines there"
        return f"{place}: the template has {self._described(line)} there"

    def _described(self, line: int) -> str:
        template = self._lines[line]
        holes = [f"{name} is {allowed(self._fields[name])}" for name in template.holes]
        return f'"{template.text}"' + (f", where {', '.join(holes)}," if holes else "")

    def _fill(
        self, line: int, wanted: Layer | None, values: Mapping[str, Scalar]
    ) -> Iterator[dict[str, Scalar]]:
        """Find the ways to fill a line that give a layer, or with which it is left out."""
        template = self._lines[line]
        options = [self._options(name, wanted, values) for name in template.holes]
        for chosen in product(*options):
            filled = dict(zip(template.holes, chosen, strict=True))
            try:
                if template.fill(filled) == wanted:
                    yield filled
            except LayerError:
                # Two holes that are possible alone can be impossible together: conv3 8 groups3.
                continue

    def _options(
        self, name: str, wanted: Layer | None, values: Mapping[str, Scalar]
    ) -> Sequence[Scalar]:
        if name in values:
            return (values[name],)
        field = self._fields[name]
        if not isinstance(field, FloatRange) and isinstance(field.values()[0], str):
            return field.values()
        found = [spelled(field, number) for number in _numbers(wanted)]
        return tuple(dict.fromkeys(value for value in found if value is not None))


def _numbers(layer: Layer | None) -> Iterator[int | float]:
    yield from _UNSAID
    for text in _NUMBER.findall("" if layer is None else str(layer)):
        yield float(text) if "." in text else int(text)

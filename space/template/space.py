"""A space as a template: lines of the layer language with holes, and a field for every hole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from space.architecture import Architecture
from space.errors import FieldError, LayerError, Problem, SearchSpaceError
from space.fields import Field, Fixed, Kind, Scalar, did_you_mean, parse_field, show
from space.fields.match import check_input
from space.layers import Conv, Layer, Linear, Separable, Shape
from space.lower_bound import Bound
from space.template.bound import lower_bound
from space.template.inverse import invert
from space.template.line import TemplateLine

MAX_ENDINGS = 2_000


class TemplateSpace:
    """A search space that fills the holes of given lines.

    Attributes:
        parameters: every hole with its field, fixed ones included, in the order of the section.
    """

    def __init__(
        self,
        lines: Sequence[TemplateLine],
        fields: Mapping[str, Field],
        input_shape: Shape,
        classes: int,
    ) -> None:
        self.parameters = fields
        self._lines = tuple(lines)
        self._input_shape = input_shape
        self._classes = classes

    @classmethod
    def from_section(
        cls, section: Mapping[str, object], *, input_shape: Shape, classes: int
    ) -> TemplateSpace:
        """Read a ``[space]`` section that has ``layers``.

        Raises:
            SearchSpaceError: with every problem of the section.
        """
        fields, problems = _parse_holes(section)
        lines, line_problems = _parse_lines(section["layers"])
        problems += line_problems
        if not line_problems:
            problems += _check_holes(section, lines)
        problems += _check_lines(lines, fields)
        if not problems:
            problems += _check_ends(_Ends(lines, fields, input_shape, classes))
        if problems:
            raise SearchSpaceError(problems)
        return cls(lines, fields, input_shape, classes)

    def assemble(self, values: Mapping[str, Scalar]) -> tuple[Architecture, frozenset[str]]:
        """Fill the lines; the architecture is unchecked and made from all parameters."""
        filled = (line.fill(values) for line in self._lines)
        layers = tuple(layer for layer in filled if layer is not None)
        return Architecture(self._input_shape, layers), frozenset(self.parameters)

    def invert(self, architecture: Architecture) -> dict[str, Scalar]:
        """Give values that ``assemble`` makes this architecture from.

        Raises:
            OutsideSpaceError: there are none.
        """
        check_input(architecture, self._input_shape)
        return invert(self._lines, self.parameters, architecture)

    def lower_bound(self) -> Bound:
        """Give what every candidate costs at least.

        Raises:
            SearchSpaceError: no candidate of the space can ever be built.
        """
        return lower_bound(self._lines, self.parameters, self._input_shape, self._classes)


def _parse_holes(section: Mapping[str, object]) -> tuple[dict[str, Field], list[Problem]]:
    fields: dict[str, Field] = {}
    problems: list[Problem] = []
    for name, raw in section.items():
        if name == "layers":
            continue
        try:
            fields[name] = _parse_hole(f"space.{name}", raw)
        except FieldError as error:
            problems.append(Problem(error.key, error.message))
    return fields, problems


def _parse_hole(key: str, raw: object) -> Field:
    kinds = {_kind(value) for value in _parts(raw)}
    if None in kinds:
        raise FieldError(key, 'a hole holds numbers or text; write for instance 16 or "relu"')
    if "str" in kinds and len(kinds) > 1:
        raise FieldError(key, "mixes numbers and text; write all choices as text")
    kind: Kind = "str" if "str" in kinds else "float" if "float" in kinds else "int"
    parsed = parse_field(raw, key=key, kind=kind)
    if kind == "str":
        for value in parsed.values():
            if any(brace in str(value) for brace in "{}"):
                raise FieldError(key, f"{show(value)} has a brace; a hole holds no other hole")
    return parsed


def _parts(raw: object) -> Sequence[object]:
    """Give the values that tell a hole's kind; leave the errors to ``parse_field``."""
    if isinstance(raw, Mapping):
        if "choices" in raw:
            return _parts(raw["choices"])
        return [raw[name] for name in ("low", "high", "step") if name in raw]
    return raw if isinstance(raw, list | tuple) else [raw]


def _kind(value: object) -> Kind | None:
    if isinstance(value, str):
        return "str"
    if isinstance(value, float):
        return "float"
    return "int" if type(value) is int else None


def _parse_lines(raw: object) -> tuple[list[TemplateLine], list[Problem]]:
    if not isinstance(raw, list | tuple) or not raw:
        return [], [Problem("space.layers", 'needs a list of lines, such as ["conv3 {a} relu"]')]
    lines: list[TemplateLine] = []
    problems: list[Problem] = []
    for index, text in enumerate(raw):
        key = f"space.layers[{index}]"
        if not isinstance(text, str) or not text.strip():
            problems.append(Problem(key, f'{show(text)} is not a line, such as "conv3 {{a}} relu"'))
            continue
        try:
            lines.append(TemplateLine(text))
        except LayerError as error:
            problems.append(Problem(key, str(error)))
    return lines, problems


def _check_holes(section: Mapping[str, object], lines: Sequence[TemplateLine]) -> Iterator[Problem]:
    """Compare the holes with the keys, both ways."""
    keys = [key for key in section if key != "layers"]
    used = dict.fromkeys(name for line in lines for name in line.holes)
    for index, line in enumerate(lines):
        for name in line.holes:
            if name == "layers":
                yield Problem(
                    f"space.layers[{index}]",
                    "the hole {layers} has the name of the lines themselves; give it another",
                )
            elif name not in keys:
                hint = did_you_mean(name, keys)
                yield Problem(
                    f"space.layers[{index}]",
                    f"the hole {{{name}}} has no field{hint}; add one, such as {name} = 16",
                )
    for key in keys:
        if key not in used:
            hint = did_you_mean(key, [name for name in used if name not in keys])
            yield Problem(f"space.{key}", f"no layer has the hole {{{key}}}{hint}; remove the key")


def _check_lines(lines: Sequence[TemplateLine], fields: Mapping[str, Field]) -> Iterator[Problem]:
    """Parse every line, where all its fields are known, in every way it can be filled."""
    for index, line in enumerate(lines):
        if not set(line.holes) <= fields.keys():
            continue
        try:
            for _ in line.variants(fields):
                pass
        except LayerError as error:
            yield Problem(f"space.layers[{index}]", str(error))


@dataclass(frozen=True)
class _Ends:
    """Looks from the end of a template for the line that gives the logits."""

    lines: Sequence[TemplateLine]
    fields: Mapping[str, Field]
    input_shape: Shape
    classes: int
    seen: set[tuple[int, frozenset[tuple[str, Scalar]], bool]] = field(default_factory=set)

    def outcomes(
        self, before: int, chosen: Mapping[str, Scalar], kept: bool = False
    ) -> Iterator[tuple[int, int, bool]]:
        """Follow every way back from line ``before`` to a line that sets the channels.

        Yields the line's index (-1 for the input), its channels, and whether any line is left.
        """
        if before == 0:
            yield -1, self.input_shape[0], kept
            return
        earlier = {name for line in self.lines[:before] for name in line.holes}
        matters = {name: value for name, value in chosen.items() if name in earlier}
        state = (before, frozenset(matters.items()), kept)
        if state in self.seen:
            return
        self.seen.add(state)
        fixed = {name: Fixed(value) for name, value in matters.items()}
        for variant in self.lines[before - 1].variants({**self.fields, **fixed}):
            channels = _channels(variant.layer)
            if channels is not None:
                yield before - 1, channels, True
            else:
                left = kept or variant.layer is not None
                yield from self.outcomes(before - 1, {**matters, **variant.values}, left)


def _channels(layer: Layer | None) -> int | None:
    operation = None if layer is None else layer.operation
    if isinstance(operation, Conv | Separable):
        return operation.channels
    return operation.features if isinstance(operation, Linear) else None


def _check_ends(ends: _Ends) -> list[Problem]:
    """Refuse a template that can end in another number of channels than there are classes."""
    way_out = f"end with conv1 {ends.classes} or linear {ends.classes}"
    for line, channels, kept in ends.outcomes(len(ends.lines), {}):
        if len(ends.seen) > MAX_ENDINGS:
            message = f"the lines can end in more than {MAX_ENDINGS:,} ways; {way_out}"
            return [Problem("space.layers", message)]
        if not kept:
            return [Problem("space.layers", f"every line can vanish at once; {way_out}")]
        if channels != ends.classes:
            key = "space.layers" if line < 0 else f"space.layers[{line}]"
            return [
                Problem(
                    key,
                    f"the network can end in {channels} channels and the data has "
                    f"{ends.classes} classes; {way_out}",
                )
            ]
    return []

"""A space as a template: lines of the layer language with holes, and a field for every hole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from space.architecture import Architecture
from space.errors import FieldError, LayerError, Problem, SearchSpaceError
from space.fields import Field, Kind, Scalar, parse_field, show
from space.layers import Shape, Word
from space.lower_bound import CostBound
from space.template.bound import lower_bound
from space.template.checks import check_endings, check_holes, check_lines
from space.template.inverse import invert
from space.template.line import TemplateLine


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
            problems += check_holes(section, lines)
        problems += check_lines(lines, fields)
        if not problems:
            problems += check_endings(lines, fields, input_shape, classes)
        if problems:
            raise SearchSpaceError(problems)
        return cls(lines, fields, input_shape, classes)

    @property
    def widths(self) -> tuple[str, ...]:
        """List the holes that are numbers of channels wherever they stand."""
        places = [line.stand_alone() for line in self._lines]
        return tuple(
            name
            for name in self.parameters
            if {alone for each in places if (alone := each.get(name)) is not None} == {True}
        )

    def assemble(self, values: Mapping[str, Scalar]) -> tuple[Architecture, frozenset[str]]:
        """Fill the lines; the architecture is not checked, and every parameter counts as used."""
        filled = (line.fill(values) for line in self._lines)
        layers = tuple(layer for layer in filled if layer is not None)
        return Architecture(self._input_shape, layers), frozenset(self.parameters)

    def invert(self, architecture: Architecture) -> dict[str, Scalar]:
        """Return values that ``assemble`` makes this architecture from.

        Args:
            architecture: for images of the shape that the space is for.

        Raises:
            OutsideSpaceError: there are none.
        """
        return invert(self._lines, self.parameters, architecture)

    def words(self) -> Iterator[Word]:
        """List the words that architectures can have, some more than once."""
        for line in self._lines:
            for variant in line.variants(self.parameters, least=True):
                if variant.layer is not None:
                    yield from variant.layer.words

    def lower_bound(self) -> CostBound:
        """Return the least that any candidate costs.

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
    """Return the values that tell a hole's kind; leave the errors to ``parse_field``."""
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

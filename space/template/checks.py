"""Check a template as a whole: its holes, every filling of a line, its ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from space.errors import LayerError, Problem
from space.fields import Field, Fixed, Scalar, did_you_mean
from space.layers import Layer, Shape
from space.template.line import TemplateLine

MAX_ENDINGS = 2_000


def check_holes(section: Mapping[str, object], lines: Sequence[TemplateLine]) -> Iterator[Problem]:
    """Refuse holes without a field, and fields without a hole."""
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


def check_lines(lines: Sequence[TemplateLine], fields: Mapping[str, Field]) -> Iterator[Problem]:
    """Parse every line whose fields are all known, in every way in which it can be filled."""
    for index, line in enumerate(lines):
        if not set(line.holes) <= fields.keys():
            continue
        try:
            for _ in line.variants(fields):
                pass
        except LayerError as error:
            yield Problem(f"space.layers[{index}]", str(error))


@dataclass(frozen=True)
class _Endings:
    """A search from the end of a template for the lines that can set the channels of the logits."""

    lines: Sequence[TemplateLine]
    fields: Mapping[str, Field]
    input_shape: Shape
    classes: int
    seen: set[tuple[int, frozenset[tuple[str, Scalar]], bool]] = field(default_factory=set)

    def outcomes(
        self, before: int, chosen: Mapping[str, Scalar], kept: bool = False
    ) -> Iterator[tuple[int, int, bool]]:
        """Search backwards from line ``before``, in every way, for one that sets the channels.

        Yields:
            The index of the line (-1 for the input), its channels, and whether any line is left.
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
    """Return the channels after a line that sets them; None when they depend on those before."""
    if layer is None or layer.operation is None:
        return None
    found = {layer.operation.output((channels, 1, 1))[0] for channels in (1, 2)}
    return found.pop() if len(found) == 1 else None


def check_endings(
    lines: Sequence[TemplateLine], fields: Mapping[str, Field], input_shape: Shape, classes: int
) -> list[Problem]:
    """Refuse a template that can end in another number of channels than there are classes."""
    ends = _Endings(lines, fields, input_shape, classes)
    way_out = f"end with conv1 {ends.classes} or linear {ends.classes}"
    for line, channels, kept in ends.outcomes(len(ends.lines), {}):
        if len(ends.seen) > MAX_ENDINGS:
            message = f"the lines can end in more than {MAX_ENDINGS:,} ways; {way_out}"
            return [Problem("space.layers", message)]
        if not kept:
            return [Problem("space.layers", f"all lines can be empty at once; {way_out}")]
        if channels != ends.classes:
            key = "space.layers" if line < 0 else f"space.layers[{line}]"
            return [
                Problem(
                    key,
                    f"the network can end in {channels} channels, but the data has "
                    f"{ends.classes} classes; {way_out}",
                )
            ]
    return []

"""A space by stages: convolutions between pools, then a head, all drawn from fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from space.architecture import Architecture
from space.bound import Bound
from space.errors import SearchSpaceError
from space.fields import Field, Scalar
from space.layers import Conv, Layer, Pool, Separable, Shape
from space.stage_bound import lower_bound
from space.stage_fields import Fields, parameters, parse_fields
from space.stage_lines import (
    HIDDEN_HEADS,
    block_line,
    can_skip,
    convolution,
    head_lines,
    same_padding,
)


class StagedSpace:
    """A search space by stages.

    Attributes:
        parameters: every parameter with its field, fixed ones included, in the order in which a
            trial is asked.
    """

    def __init__(self, fields: Fields, input_shape: Shape, classes: int) -> None:
        self.parameters: Mapping[str, Field] = parameters(fields)
        self._fields = fields
        self._input_shape = input_shape
        self._classes = classes

    @classmethod
    def from_section(
        cls, section: Mapping[str, object], *, input_shape: Shape, classes: int
    ) -> StagedSpace:
        """Read a ``[space]`` section by stages.

        Raises:
            SearchSpaceError: with every problem of the section.
        """
        fields, problems = parse_fields(section)
        if problems:
            raise SearchSpaceError(problems)
        return cls(fields, input_shape, classes)

    def assemble(self, values: Mapping[str, Scalar]) -> tuple[Architecture, frozenset[str]]:
        """Put an architecture together, unchecked.

        Args:
            values: the value of every parameter.

        Returns:
            The architecture, and the parameters that it was made from; the value of any other
            changes nothing.
        """
        reading = _Reading(self._fields, values)
        draft = _Draft(reading, self._input_shape, self._classes)
        draft.build()
        return Architecture(self._input_shape, tuple(draft.layers)), frozenset(reading.used)

    def lower_bound(self) -> Bound:
        """Give what every candidate costs at least.

        Raises:
            SearchSpaceError: no candidate of the space can ever be built.
        """
        fields = {name: placed.field for name, placed in self._fields.items()}
        return lower_bound(fields, self._input_shape, self._classes)


@dataclass
class _Reading:
    """Looks values up and remembers which: those never looked up had no effect."""

    fields: Fields
    values: Mapping[str, Scalar]
    used: set[str] = field(default_factory=set)

    def text(self, name: str, stage: int = 1, conv: int = 1) -> str:
        return str(self._value(name, stage, conv))

    def whole(self, name: str, stage: int = 1, conv: int = 1) -> int:
        return int(self._value(name, stage, conv))

    def rate(self, name: str, stage: int = 1, conv: int = 1) -> float:
        return float(self._value(name, stage, conv))

    def flag(self, name: str, stage: int = 1, conv: int = 1) -> bool:
        return bool(self._value(name, stage, conv))

    def _value(self, name: str, stage: int, conv: int) -> Scalar:
        parameter = self.fields[name].parameter(name, stage, conv)
        self.used.add(parameter)
        return self.values[parameter]


@dataclass
class _Draft:
    """An architecture in the making: the lines so far and the map after them.

    The map's sides may fall below 1: such a draft goes on, and its architecture says what is wrong.
    """

    reading: _Reading
    shape: Shape
    classes: int
    layers: list[Layer] = field(default_factory=list)

    def build(self) -> None:
        stages = self.reading.whole("stages")
        for stage in range(1, stages + 1):
            convs = self.reading.whole("convs", stage)
            for conv in range(1, convs + 1):
                self._add_convolution(stage, conv, last=(stage, conv) == (stages, convs))
            if stage < stages:
                self._end_stage(stage, convs)
        self._add_head(stages, convs)

    def _add(self, layer: Layer) -> None:
        self.layers.append(layer)
        for word in layer.words:
            self.shape = word.output(self.shape)

    def _add_convolution(self, stage: int, conv: int, *, last: bool) -> None:
        read = self.reading
        classifies = last and read.text("head") == "gap"
        operation, skip = self._operation(stage, conv, self.classes if classifies else None)
        self._add(
            block_line(
                operation,
                read.text("order", stage, conv),
                read.text("activation", stage, conv),
                skip=skip,
                dropout=0.0 if classifies else read.rate("dropout", stage, conv),
            )
        )

    def _operation(
        self, stage: int, conv: int, tied_width: int | None
    ) -> tuple[Conv | Separable, bool]:
        """Give a convolution and whether it skips; a skip ties the width to what comes in."""
        read, spot = self.reading, (stage, conv)
        kernel = read.whole("kernel", *spot)
        padding = same_padding(kernel)
        if padding and read.text("padding", *spot) == "valid":
            padding = 0
        block, bias = read.text("block", *spot), read.flag("bias", *spot)
        channels = self.shape[0]
        fits = can_skip(kernel, padding) and tied_width in (None, channels)
        skip = fits and spot != (1, 1) and read.flag("skip", *spot)
        tied_width = channels if skip else tied_width
        width = read.whole("width", *spot) if tied_width is None else tied_width
        return convolution(block, kernel, width, padding=padding, bias=bias), skip

    def _end_stage(self, stage: int, convs: int) -> None:
        transition = self.reading.text("transition", stage)
        if transition == "before-pool":
            self._add_transition(stage, convs)
        kind = self.reading.text("pool", stage)
        self._add(Layer((Pool("avg" if kind == "avg" else "max", 2),)))
        if transition == "after-pool":
            self._add_transition(stage, convs)

    def _add_transition(self, stage: int, convs: int) -> None:
        read, spot = self.reading, (stage, convs)
        width, bias = read.whole("transition_width", stage), read.flag("bias", *spot)
        style = read.text("transition_style", stage)
        if style == "bare":
            self._add(Layer((Conv(1, width, bias=bias),)))
            return
        order, activation = read.text("order", *spot), read.text("activation", *spot)
        self._add(block_line(Conv(1, width, bias=bias), order, activation))

    def _add_head(self, stage: int, conv: int) -> None:
        read, spot = self.reading, (stage, conv)
        head = read.text("head")
        hidden = self._hidden(stage, conv) if head in HIDDEN_HEADS else None
        needs_bias = head not in ("gap", "gap-linear")
        bias = needs_bias and read.flag("bias", *spot)
        for layer in head_lines(head, self.shape, self.classes, bias=bias, hidden=hidden):
            self._add(layer)

    def _hidden(self, stage: int, conv: int) -> Layer | None:
        read, spot = self.reading, (stage, conv)
        width = read.whole("head_hidden")
        if width == 0:
            return None
        operation = Conv(1, width, bias=read.flag("bias", *spot))
        return block_line(operation, read.text("order", *spot), read.text("activation", *spot))

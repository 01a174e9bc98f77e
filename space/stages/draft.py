"""Build an architecture by stages, line after line, from the values of the fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from space.fields import Scalar
from space.layers import Conv, Layer, Pool, Separable, Shape
from space.stages.fields import Fields
from space.stages.lines import (
    HIDDEN_HEADS,
    block_line,
    can_skip,
    convolution,
    has_norm,
    head_lines,
    same_padding,
)


@dataclass
class Reading:
    """The values of the fields, and which of them were looked up: the others have no effect."""

    fields: Fields
    values: Mapping[str, Scalar]
    used: set[str] = field(default_factory=set)

    def text(self, name: str, stage: int = 1, conv: int = 1) -> str:
        """Return the value of a field of words."""
        return str(self.value(name, stage, conv))

    def whole(self, name: str, stage: int = 1, conv: int = 1) -> int:
        """Return the value of a field of whole numbers."""
        return int(self.value(name, stage, conv))

    def rate(self, name: str, stage: int = 1, conv: int = 1) -> float:
        """Return the value of a field of rates."""
        return float(self.value(name, stage, conv))

    def flag(self, name: str, stage: int = 1, conv: int = 1) -> bool:
        """Return the value of a field that is true or false."""
        return bool(self.value(name, stage, conv))

    def value(self, name: str, stage: int, conv: int) -> Scalar:
        """Return the value of a field for a convolution, counted from 1, and mark it as used."""
        parameter = self.fields[name].parameter(name, stage, conv)
        self.used.add(parameter)
        return self.values[parameter]


@dataclass
class Draft:
    """An unfinished architecture: the lines so far and the map after them.

    The map's sides may fall below 1: such a draft goes on, and its architecture says what is wrong.
    """

    reading: Reading
    shape: Shape
    classes: int
    layers: list[Layer] = field(default_factory=list)

    def build(self) -> None:
        """Add all lines."""
        stages = self.reading.whole("stages")
        stride = self.reading.whole("stem_stride")
        for stage in range(1, stages + 1):
            convs = self.reading.whole("convs", stage)
            for conv in range(1, convs + 1):
                last = (stage, conv) == (stages, convs)
                self._add_convolution(stage, conv, stride, last=last)
                stride = 1
            if stage < stages:
                stride = self._end_stage(stage, convs)
        self._add_head(stages, convs)

    def add(self, layer: Layer) -> None:
        """Add a line at the end."""
        self.layers.append(layer)
        for word in layer.words:
            self.shape = word.output(self.shape)

    def _add_convolution(self, stage: int, conv: int, stride: int, *, last: bool) -> None:
        read = self.reading
        classifies = last and read.text("head") == "gap"
        operation, skip = self._operation(stage, conv, stride, self.classes if classifies else None)
        order = read.text("order", stage, conv)
        self.add(
            block_line(
                operation,
                order,
                read.text("activation", stage, conv),
                # No weights that could take over the scale follow the line that classifies.
                scale=classifies or self._scale(order, stage, conv),
                skip=skip,
                dropout=0.0 if classifies else read.rate("dropout", stage, conv),
            )
        )

    def _operation(
        self, stage: int, conv: int, stride: int, tied_width: int | None
    ) -> tuple[Conv | Separable, bool]:
        """Return a convolution and whether it skips; a skip ties the width to what comes in."""
        read, spot = self.reading, (stage, conv)
        kernel = read.whole("kernel", *spot)
        padding = same_padding(kernel)
        if padding and read.text("padding", *spot) == "valid":
            padding = 0
        block, bias = read.text("block", *spot), read.flag("bias", *spot)
        channels = self.shape[0]
        fits = can_skip(kernel, padding, stride) and tied_width in (None, channels)
        skip = fits and spot != (1, 1) and read.flag("skip", *spot)
        tied_width = channels if skip else tied_width
        width = read.whole("width", *spot) if tied_width is None else tied_width
        made = convolution(block, kernel, width, padding=padding, stride=stride, bias=bias)
        return made, skip

    def _end_stage(self, stage: int, convs: int) -> int:
        """Add the transition and the pool; return the stride of the next convolution."""
        transition = self.reading.text("transition", stage)
        if transition == "before-pool":
            self._add_transition(stage, convs)
        kind = self.reading.text("pool", stage)
        if kind != "stride":
            self.add(Layer((Pool("avg" if kind == "avg" else "max", 2),)))
        if transition == "after-pool":
            self._add_transition(stage, convs)
        return 2 if kind == "stride" else 1

    def _add_transition(self, stage: int, convs: int) -> None:
        width = self.reading.whole("transition_width", stage)
        style = self.reading.text("transition_style", stage)
        self.add(self._pointwise(width, style, (stage, convs)))

    def _pointwise(self, width: int, style: str, spot: tuple[int, int]) -> Layer:
        """Return a 1x1 convolution, bare or with what the convolution at the spot has behind it."""
        read = self.reading
        operation = Conv(1, width, bias=read.flag("bias", *spot))
        if style == "bare":
            return Layer((operation,))
        order, activation = read.text("order", *spot), read.text("activation", *spot)
        dropout = read.rate("dropout", *spot) if style == "full-dropout" else 0.0
        scale = self._scale(order, *spot)
        return block_line(operation, order, activation, scale=scale, dropout=dropout)

    def _scale(self, order: str, stage: int, conv: int) -> bool:
        """Return whether the norm of a line has a scale."""
        return not has_norm(order) or self.reading.flag("norm_scale", stage, conv)

    def _add_head(self, stage: int, conv: int) -> None:
        read, spot = self.reading, (stage, conv)
        head = read.text("head")
        hidden = self._hidden(stage, conv) if head in HIDDEN_HEADS else None
        needs_bias = head not in ("gap", "gap-linear")
        bias = needs_bias and read.flag("bias", *spot)
        for layer in head_lines(head, self.shape, self.classes, bias=bias, hidden=hidden):
            self.add(layer)

    def _hidden(self, stage: int, conv: int) -> Layer | None:
        width = self.reading.whole("head_hidden")
        if width == 0:
            return None
        return self._pointwise(width, self.reading.text("head_hidden_style"), (stage, conv))

"""A lower bound on the cost of a space by stages: every choice, each width at its smallest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

from space.fields import Field, Scalar
from space.layers import Conv, Layer, Pool, Shape
from space.lower_bound import (
    FREE,
    CostBound,
    Least,
    Move,
    advance,
    apply,
    cached_moves,
    finish,
    merge,
)
from space.stages.lines import (
    GAP,
    HIDDEN_HEADS,
    block_line,
    can_skip,
    convolution,
    head_lines,
    padding_of,
)

# A map, and the stride of the convolution that comes next.
_Strided = tuple[Shape, int]
Front = dict[_Strided, Least]

_ADVICE = (
    "allow other stages or convs, smaller kernels, padding or another head (full-conv needs a "
    "map of at most 99 pixels a side, and of a square one that the side is odd, 2, 4 or 6)"
)


def lower_bound(fields: Mapping[str, Field], input_shape: Shape, classes: int) -> CostBound:
    """Return the least that any candidate of a space by stages costs.

    Nearly exact: only where one drawn value serves several lines, as with ``per = "network"``,
    each line is bounded as if it could choose for itself.

    Raises:
        SearchSpaceError: no candidate of the space can ever be built.
    """
    walk = _Walk(fields, classes)
    convolved = cached_moves(walk.convolved)
    stages, convs = fields["stages"].values(), fields["convs"].values()
    front: Front = {(input_shape, stride): FREE for stride in walk.stem_strides}
    ends: list[tuple[Shape, Least]] = []
    for stage in range(1, int(fields["stages"].maximum) + 1):
        stage_end: dict[Shape, Least] = {}
        for conv in range(1, int(fields["convs"].maximum) + 1):
            if stage in stages and conv in convs:
                ends += advance(front, walk.classified).items()
            after = advance(front, convolved if (stage, conv) > (1, 1) else walk.started)
            if conv in convs:
                merge(stage_end, after)
            front = {(shape, 1): costs for shape, costs in after.items()}
        if stage in stages:
            ends += advance(stage_end, walk.headed).items()
        front = advance(stage_end, walk.pooled)
    return finish(ends, input_shape, classes, _ADVICE)


class _Walk:
    """The ways to go on from a map, each with its cost; one method for each part of a network."""

    def __init__(self, fields: Mapping[str, Field], classes: int) -> None:
        self._values = {name: field.values() for name, field in fields.items() if name != "dropout"}
        self._width = int(fields["width"].minimum)
        self._transition_width = int(fields["transition_width"].minimum)
        self._classes = classes
        self._bias = False not in self._values["bias"]
        orders = self._values["order"]
        self._order = "conv-relu" if "conv-relu" in orders else str(orders[0])
        self._scale = False not in self._values["norm_scale"]
        self._windows = sorted(set(_windows(self._values)))
        self._lines: dict[tuple[_Window, int, int, bool], Layer] = {}

    @property
    def stem_strides(self) -> Sequence[int]:
        """Return the strides that the first convolution can have."""
        return [int(stride) for stride in self._values["stem_stride"]]

    def started(self, state: _Strided) -> Iterator[Move[Shape]]:
        """Try the first convolution of the network, which cannot skip."""
        shape, stride = state
        for window in self._windows:
            yield from _after(shape, self._line(window, stride, self._width))

    def convolved(self, state: _Strided) -> Iterator[Move[Shape]]:
        """Try any other convolution; one that skips keeps its channels."""
        shape, stride = state
        skips = self._values["skip"]
        for window in self._windows:
            fits = can_skip(window.kernel, window.padding, stride)
            if fits and True in skips:
                yield from _after(shape, self._line(window, stride, shape[0]))
            if not fits or False in skips:
                yield from _after(shape, self._line(window, stride, self._width))

    def classified(self, state: _Strided) -> Iterator[Move[Shape]]:
        """Try a last convolution that classifies, where that is a possible head."""
        shape, stride = state
        if "gap" in self._values["head"]:
            for window in self._windows:
                line = self._line(window, stride, self._classes, scale=True)
                yield from _after(shape, line, GAP)

    def headed(self, shape: Shape) -> Iterator[Move[Shape]]:
        """Try every other head, with and without a hidden layer."""
        for head in map(str, self._values["head"]):
            if head == "gap":
                continue
            for hidden in self._hidden() if head in HIDDEN_HEADS else [None]:
                yield from _after(
                    shape,
                    *head_lines(head, shape, self._classes, bias=self._bias, hidden=hidden),
                )

    def pooled(self, shape: Shape) -> Iterator[Move[_Strided]]:
        """Try every end of a stage: a pool or a stride, with or without a transition."""
        for strides in {pool == "stride" for pool in self._values["pool"]}:
            pool = () if strides else (Layer((Pool("max", 2),)),)
            for transition in self._values["transition"]:
                bare = "bare" in self._values["transition_style"]
                narrow = (self._pointwise(self._transition_width, bare=bare),)
                before = narrow if transition == "before-pool" else ()
                behind = narrow if transition == "after-pool" else ()
                for after, costs in _after(shape, *before, *pool, *behind):
                    yield (after, 2 if strides else 1), costs

    def _line(
        self, window: _Window, stride: int, width: int, *, scale: bool | None = None
    ) -> Layer:
        scale = self._scale if scale is None else scale
        line = self._lines.get((window, stride, width, scale))
        if line is None:
            block, kernel, padding = window
            operation = convolution(
                block, kernel, width, padding=padding, stride=stride, bias=self._bias
            )
            line = block_line(operation, self._order, "relu", scale=scale)
            self._lines[window, stride, width, scale] = line
        return line

    def _pointwise(self, width: int, *, bare: bool) -> Layer:
        operation = Conv(1, width, bias=self._bias)
        if bare:
            return Layer((operation,))
        return block_line(operation, self._order, "relu", scale=self._scale)

    def _hidden(self) -> Iterator[Layer | None]:
        widths = sorted(map(int, self._values["head_hidden"]))
        if 0 in widths:
            yield None
        if smallest := next((width for width in widths if width > 0), 0):
            yield self._pointwise(smallest, bare="bare" in self._values["head_hidden_style"])


class _Window(NamedTuple):
    block: str
    kernel: int
    padding: int


def _windows(values: Mapping[str, Sequence[Scalar]]) -> Iterator[_Window]:
    for block, size, padding in product(values["block"], values["kernel"], values["padding"]):
        kernel = int(size)
        yield _Window(str(block), kernel, padding_of(kernel, padding))


def _after(shape: Shape, *layers: Layer) -> Iterator[Move[Shape]]:
    """Apply layers in turn; yield nothing when the map vanishes."""
    costs = FREE
    for layer in layers:
        applied = apply(layer, shape)
        if applied is None:
            return
        shape, costs = applied[0], costs.then(applied[1])
    yield shape, costs

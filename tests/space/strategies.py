"""Hypothesis strategies over the whole layer language.

``layers`` makes any line, whether it fits anywhere or not; ``architectures`` makes only those
whose lines fit together, small enough to build and run in milliseconds.
"""

from __future__ import annotations

from typing import TypeAlias

from hypothesis import strategies as st

from space.architecture import Architecture
from space.errors import ShapeError
from space.layers import (
    Activation,
    Again,
    BatchNorm,
    Conv,
    Depthwise,
    Dropout,
    Dropout2d,
    Gap,
    GhostBatchNorm,
    GroupNorm,
    Layer,
    LayerNorm,
    Linear,
    Operation,
    Pool,
    Separable,
    Shape,
    Skip,
    Word,
)
from space.layers.activations import ACTIVATIONS
from space.layers.shapes import apply_lines
from space.layers.spelling import Sides, both

INPUT_SHAPES: list[Shape] = [(1, 28, 28), (3, 16, 16), (1, 8, 8), (2, 9, 7), (3, 4, 12), (4, 1, 1)]

# What chance seldom makes: long skips, and lines with skips that are applied again.
BLOCKS = Architecture.parse(
    """
    conv3 8 relu bn
    bn relu conv3 8 pad1 drop0.1 skip relu
    again
    separable3 8 pad1 bn silu skip2
    maxpool2
    conv3 8 pad1 skip bn leakyrelu
    conv3 8 pad1 bn skip2 hardswish
    again2 norms
    gap bn
    linear 12 relu
    conv1 10
    """
)

kernels = st.sampled_from([1, 2, 3, 4, 5, 6, 7, 9, 11])
small_channels = st.integers(1, 9)
dropouts = st.builds(
    lambda kind, rate: kind(rate),
    st.sampled_from([Dropout, Dropout2d]),
    st.one_of(
        st.sampled_from([0.02, 0.1, 0.25]), st.floats(0, 1, exclude_min=True, exclude_max=True)
    ),
)
element_wise = st.one_of(
    st.sampled_from([*ACTIVATIONS]).map(Activation),
    st.sampled_from([BatchNorm(), BatchNorm(scale=False), LayerNorm()]),
    st.builds(GhostBatchNorm, st.integers(2, 64), scale=st.booleans()),
    dropouts,
)
group_norms = st.sampled_from([GroupNorm(2), GroupNorm(3), GroupNorm(4)])


def sides(least: int, most: int) -> st.SearchStrategy[Sides]:
    """Make a number for both axes, or one for each."""
    each = st.integers(min(least, 1), most)
    oblong = st.tuples(each, each).filter(lambda pair: pair[0] != pair[1])
    return st.one_of(st.integers(least, most), oblong)


@st.composite
def convs(draw: st.DrawFn) -> Conv:
    """Make any convolution that the language can say."""
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    oblong = sides(1, 99).filter(lambda size: isinstance(size, tuple))
    return Conv(
        draw(st.one_of(kernels, st.integers(0, 49).map(lambda half: 2 * half + 1), oblong)),
        draw(st.integers(1, 65536 // groups)) * groups,
        draw(sides(0, 99)),
        draw(sides(1, 99)),
        groups,
        draw(st.booleans()),
        draw(st.one_of(st.just(1), sides(1, 99))),
    )


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    """Make any pool that the language can say."""
    size = draw(sides(2, 99))
    height, width = (draw(st.integers(0, side // 2)) for side in both(size))
    padding = height if height == width else (height, width)
    stride = draw(st.one_of(st.none(), sides(1, 99)))
    return Pool(draw(st.sampled_from(["max", "avg"])), size, padding, stride)


def _operations() -> st.SearchStrategy[Operation]:
    paddings, strides, dilations = sides(0, 99), sides(1, 99), sides(1, 99)
    channels = st.integers(1, 65536)
    return st.one_of(
        convs(),
        st.builds(Depthwise, kernels, paddings, strides, st.booleans(), dilations),
        st.builds(Separable, kernels, channels, paddings, strides, st.booleans(), dilations),
        pools(),
        st.just(Gap()),
        st.builds(Linear, channels, st.booleans()),
    )


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    """Make any line of the language."""
    if draw(st.integers(0, 9)) == 0:
        return Layer((Again(draw(st.integers(1, 64)), draw(st.booleans())),))
    word = st.one_of(element_wise, group_norms, st.integers(1, 64).map(Skip))
    around = st.lists(word, max_size=3)
    words: list[Word] = [*draw(around), *draw(st.lists(_operations(), max_size=1)), *draw(around)]
    return Layer(tuple(words) or (Gap(),))


@st.composite
def loose_architectures(draw: st.DrawFn) -> Architecture:
    """Make an architecture of lines that seldom fit together."""
    lines = draw(st.lists(st.one_of(layers(), _plain_lines()), min_size=1, max_size=5))
    return Architecture(draw(st.sampled_from(INPUT_SHAPES)), tuple(lines))


def _plain_lines() -> st.SearchStrategy[Layer]:
    return st.sampled_from(
        ["conv3 6 pad1 bn relu", "conv5 6", "maxpool2", "gap", "relu", "skip2", "again", "conv2 4"]
    ).map(Layer.parse)


@st.composite
def architectures(
    draw: st.DrawFn, input_shapes: list[Shape] = INPUT_SHAPES, whole_map: bool = True
) -> Architecture:
    """Make an architecture that fits together, over the whole language.

    With ``whole_map`` false it has no ``gap`` or ``linear`` before its last line, which is ``gap``.
    """
    input_shape = draw(st.sampled_from(input_shapes))
    lines: list[Layer] = []
    for _ in range(draw(st.integers(0, 7))):
        shape, inputs = _state(lines, input_shape)
        again = [
            Layer((Again(n, norms),))
            for n in (1, 2, 3)
            for norms in (False, True)
            if _fits([*lines, Layer((Again(n),))], input_shape)
        ]
        if again and draw(st.integers(0, 3)) == 0:
            lines.append(draw(st.sampled_from(again)))
        else:
            lines.append(draw(_fitting_line(shape, inputs, whole_map)))
    head = draw(_heads(_state(lines, input_shape)[0])) if whole_map else [Layer((Gap(),))]
    architecture = Architecture(input_shape, (*lines, *head))
    architecture.check()
    return architecture


def _fits(lines: list[Layer], input_shape: Shape) -> bool:
    try:
        apply_lines(lines, input_shape)
    except ShapeError:
        return False
    return True


def _state(lines: list[Layer], input_shape: Shape) -> tuple[Shape, list[Shape]]:
    """Give the current map and the maps that entered each application."""
    applications = apply_lines(lines, input_shape)
    shape = applications[-1].shapes[-1] if applications else input_shape
    return shape, [application.shapes[0] for application in applications]


@st.composite
def _fitting_line(draw: st.DrawFn, shape: Shape, inputs: list[Shape], whole_map: bool) -> Layer:
    inputs = [*inputs, shape]
    words: list[Word] = []
    if draw(st.integers(0, 3)) == 0:
        words += draw(_fitting_element_wise(shape, inputs, 2))
    if not words or draw(st.integers(0, 3)):
        operation = draw(_fitting_operation(shape, whole_map))
        words.append(operation)
        shape = operation.output(shape)
    words += draw(_fitting_element_wise(shape, inputs, 4))
    return Layer(tuple(words))


def fits(word: Word, shape: Shape) -> bool:
    """Return whether a word can take a map."""
    return word.misfit(shape) is None


@st.composite
def _fitting_element_wise(
    draw: st.DrawFn, shape: Shape, inputs: list[Shape], most: int
) -> list[Word]:
    skips = [Skip(n) for n in range(1, len(inputs) + 1) if inputs[-n] == shape]
    words: list[st.SearchStrategy[Word]] = [element_wise.filter(lambda word: fits(word, shape))]
    words += [st.sampled_from(skips)] * bool(skips)
    norms = [norm for norm in map(GroupNorm, (2, 3, 4)) if fits(norm, shape)]
    words += [st.sampled_from(norms)] * bool(norms)
    return draw(st.lists(st.one_of(words), max_size=most))


@st.composite
def _fitting_operation(draw: st.DrawFn, shape: Shape, whole_map: bool) -> Operation:
    channels, height, width = shape
    side = min(height, width)
    kind = draw(st.integers(0, 10 if whole_map else 9))
    if kind >= 10:
        return draw(st.one_of(st.just(Gap()), st.builds(Linear, small_channels, st.booleans())))
    if kind >= 8 and side >= 2:
        return draw(_fitting_pool(height, width))
    keep = draw(st.booleans())
    kernel, padding, stride, dilation = draw(
        _keeping_window if keep else _fitting_window(height, width)
    )
    bias = draw(st.booleans())
    if kind == 0:
        return Depthwise(kernel, padding, stride, bias, dilation)
    out = channels if keep else draw(small_channels)
    if kind == 1:
        return Separable(kernel, out, padding, stride, bias, dilation)
    common = [groups for groups in range(1, channels + 1) if channels % groups == out % groups == 0]
    groups = draw(st.sampled_from([1, *common]))
    return Conv(kernel, out, padding, stride, groups, bias, dilation)


Window: TypeAlias = tuple[Sides, Sides, Sides, Sides]
"""Kernel, padding, stride and dilation."""

_keeping_window: st.SearchStrategy[Window] = st.sampled_from(
    [(1, 0, 1, 1), (3, 1, 1, 1), (5, 2, 1, 1), (7, 3, 1, 1), (3, 2, 1, 2), ((3, 5), (1, 2), 1, 1)]
)


@st.composite
def _fitting_window(draw: st.DrawFn, height: int, width: int) -> Window:
    square = draw(kernels)
    oblong = draw(st.tuples(st.integers(1, 11), st.integers(1, 7)).filter(lambda p: p[0] != p[1]))
    kernel: Sides = draw(st.sampled_from([square, square, oblong]))
    dilation = draw(st.sampled_from([1, 1, 1, 1, 2]))
    margin = draw(st.one_of(st.none(), st.integers(0, 2)))
    paddings = []
    for size, side in zip(both(kernel), (height, width), strict=True):
        reach = dilation * (size - 1) + 1
        padding = (reach - 1) // 2 if margin is None else margin
        paddings.append(max(padding, (reach - side + 1) // 2))
    stride: Sides = draw(st.sampled_from([1, 1, 1, 1, 2, 3, (1, 2), (3, 1)]))
    return kernel, joined(paddings[0], paddings[1]), stride, dilation


@st.composite
def _fitting_pool(draw: st.DrawFn, height: int, width: int) -> Pool:
    side = min(height, width, 4)
    size: Sides = draw(st.integers(2, side))
    if side > 2 and draw(st.integers(0, 3)) == 0:
        size = draw(st.sampled_from([(1, side), (side, 2)]))
    padding = draw(st.sampled_from([0, 0, 0, min(both(size)) // 2]))
    stride: Sides | None = draw(st.sampled_from([None, None, 1, 2, (2, 1)]))
    return Pool(draw(st.sampled_from(["max", "avg"])), size, padding, stride)


def joined(height: int, width: int) -> Sides:
    """Return one number where both are the same."""
    return height if height == width else (height, width)


@st.composite
def _heads(draw: st.DrawFn, shape: Shape) -> list[Layer]:
    classes = draw(st.integers(2, 10))
    heads = [
        [Layer((Gap(),)), Layer((Conv(1, classes),))],
        [Layer((Conv(1, classes),)), Layer((Gap(),))],
        [Layer((Gap(), Activation("relu"))), Layer((Linear(classes),))],
        [Layer((Linear(classes, bias=False), BatchNorm()))],
        [Layer((Gap(),)), Layer((Conv(1, 5), BatchNorm())), Layer((Conv(1, classes),))],
    ]
    if shape[1] != shape[2] or shape[1] % 2 or shape[1] <= 6:
        heads.append([Layer((Conv(joined(shape[1], shape[2]), classes),))])
    return draw(st.sampled_from(heads))

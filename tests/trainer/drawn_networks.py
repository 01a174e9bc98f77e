"""Networks of the layer language for the tests of the compiled kernels, drawn or from a text."""

from __future__ import annotations

import torch
from hypothesis import strategies as st
from torch import Tensor, nn

from space import Architecture
from space.errors import ShapeError
from space.layers import Shape
from space.layers.activations import ACTIVATIONS
from space.network import build

INPUT_SHAPES: list[Shape] = [(1, 8, 8), (3, 9, 7), (2, 5, 12), (4, 6, 6), (5, 1, 9), (1, 12, 3)]

# So small a rate drops nothing, but takes the way of dropout.
NEVER_DROPS = "drop0.000000001"

COMPILED_ACTIVATIONS = [word for word, entry in ACTIVATIONS.items() if not entry.parameters]

# What chance seldom makes.
LINES_OF_INTEREST = [
    "conv3 8 pad1 bn relu",
    "conv3 17 pad1 relu bn",
    "conv3 6 pad1 skip bn hardswish",
    "bn noscale relu conv3 4 pad1 skip",
    "separable3 8 pad1 bn silu skip2",
    "depthwise5 pad2 bias leakyrelu bn",
    "conv1 20 bn",
    "relu conv4 6 pad3 stride2",
    "conv3 6 pad2 groups2 bias silu",
    "bn bn relu",
    "conv3x5 6 pad1x2 stride2x1 bn tanh",
    "conv3 8 pad2 dilation2 gelu bn",
    "depthwise3 pad2 dilation2 stride1x2 elu",
    "maxpool3 pad1 stride2",
    "avgpool3x2 pad1 stride1",
    f"skip {NEVER_DROPS} relu skip",
    "again",
    "again2",
]


def noise(shape: tuple[int, ...], seed: int) -> Tensor:
    """Numbers that the seed alone decides."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def network_of(architecture: Architecture, seed: int = 0) -> nn.Module:
    """The network in training mode; its BatchNorm scales and shifts as if it had learned."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = build(architecture)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                if module.weight is not None:
                    nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.normal_(module.bias)
    return network.train()


@st.composite
def _convolutions(draw: st.DrawFn) -> str:
    kernel = draw(st.integers(1, 7))
    kind = draw(st.sampled_from(["conv", "conv", "conv", "depthwise", "separable"]))
    groups = draw(st.sampled_from([1, 1, 1, 2, 3])) if kind == "conv" else 1
    padding = draw(st.one_of(st.just((kernel - 1) // 2), st.integers(0, kernel)))
    oblong = draw(st.sampled_from([f"{kernel}"] * 3 + [f"{kernel}x{8 - kernel}"]))
    stride = draw(st.sampled_from(["1", "1", "1", "2", "3", "1x2", "3x2"]))
    dilation = draw(st.sampled_from(["1", "1", "1", "2", "1x3"]))
    words = [f"{kind}{oblong}"]
    if kind != "depthwise":
        words.append(str(groups * draw(st.integers(1, 20 // groups))))
    words += [f"pad{padding}", f"stride{stride}", f"dilation{dilation}"]
    words += [f"groups{groups}"] * (groups > 1) + ["bias"] * draw(st.booleans())
    return " ".join(words)


@st.composite
def _pools(draw: st.DrawFn) -> str:
    kind, size = draw(st.sampled_from(["maxpool", "avgpool"])), draw(st.integers(2, 4))
    words = [draw(st.sampled_from([f"{kind}{size}", f"{kind}{size}x{size - 1}"]))]
    words += [f"pad{draw(st.integers(0, (size - 1) // 2))}"] * draw(st.booleans())
    words += [f"stride{draw(st.sampled_from(['1', '2', '1x2', '3x1', '5']))}"] * draw(st.booleans())
    return " ".join(words)


def _lines() -> st.SearchStrategy[str]:
    never = [NEVER_DROPS, NEVER_DROPS.replace("drop", "dropout2d")]
    words = st.sampled_from(
        [*COMPILED_ACTIVATIONS, "bn", "bn", "bn noscale", *never, "skip", "skip2"]
    )
    around = st.lists(words, max_size=4).map(" ".join)
    before = st.one_of(st.just(""), around)
    operations = st.one_of(
        _convolutions(),
        _convolutions(),
        _pools(),
        st.sampled_from(["maxpool2", "avgpool2", "maxpool3", "avgpool3", "gap"]),
        st.integers(1, 12).map(lambda features: f"linear {features}"),
    )
    drawn = st.tuples(before, operations, around).map(" ".join)
    return st.one_of(drawn, drawn, st.sampled_from(LINES_OF_INTEREST))


def _fit(lines: list[str], shape: Shape) -> bool:
    try:
        Architecture.parse([*lines, "gap"], shape)
    except ShapeError:
        return False
    return True


@st.composite
def architectures(draw: st.DrawFn) -> Architecture:
    """Make an architecture of up to six lines and a head; lines that do not fit are left out."""
    shape = draw(st.sampled_from(INPUT_SHAPES))
    lines: list[str] = []
    for line in draw(st.lists(_lines(), min_size=1, max_size=6)):
        if _fit([*lines, line], shape):
            lines.append(line)
    _, height, width = (shape, *Architecture.parse([*lines, "gap"], shape).shapes)[-2]
    heads = [["gap", "conv1 5 bias"], ["conv1 5", "gap"], ["linear 5"], ["linear 3 nobias bn"]]
    if height == width and (height % 2 or height <= 6):
        heads.append([f"conv{height} 5 bias"])
    return Architecture.parse([*lines, *draw(st.sampled_from(heads))], shape)

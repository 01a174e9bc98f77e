from __future__ import annotations

import copy
import io
import re
import weakref
from collections import Counter

import pytest
import torch
from hypothesis import example, given, settings
from torch import Tensor, nn
from torch.nn import functional as F

from space.architecture import Architecture
from space.errors import ShapeError
from space.layers import Layer
from space.network import Network, build
from tests.space.strategies import BLOCKS, architectures

relaxed = settings(max_examples=60)

ACTIVATIONS = {
    "relu": F.relu,
    "leakyrelu": F.leaky_relu,
    "silu": F.silu,
    "hardswish": F.hardswish,
    "gelu": F.gelu,
    "elu": F.elu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
}
WITH_WEIGHTS = re.compile("(bn|gbn|ln|gn|prelu)([0-9]*)")


def images(architecture: Architecture, count: int = 3) -> Tensor:
    """Make random images of the architecture's shape."""
    return torch.randn(count, *architecture.input_shape)


def by_the_book(architecture: Architecture, state: dict[str, Tensor], x: Tensor) -> Tensor:
    """Evaluate the text word by word with plain functions and the weights of a state dict."""
    sequence: list[tuple[int, str]] = []
    for number, layer in enumerate(architecture.layers, 1):
        word, *norms = str(layer).split()
        if not word.startswith("again"):
            sequence.append((number, ""))
            continue
        for time, (line, of) in enumerate(sequence[-int(word.removeprefix("again") or 1) :], 1):
            sequence.append((line, f"line{number}.again{time}." if norms else of))
    inputs = []
    for number, own in sequence:
        inputs.append(x)
        lines = {k.removeprefix(f"line{number}."): v for k, v in state.items()}
        if own:
            lines |= {k.removeprefix(own): v for k, v in state.items() if k.startswith(own)}
        tokens = str(architecture.layers[number - 1]).split()
        seen: Counter[str] = Counter()
        for position, token in enumerate(tokens):
            if token.startswith("skip"):
                x = x + inputs[-int(token[4:] or 1)]
            elif found := WITH_WEIGHTS.fullmatch(token):
                kind, groups = found.groups()
                seen[kind] += 1
                name = kind if seen[kind] == 1 else f"{kind}{seen[kind]}"
                x = weigh(x, kind, int(groups or 1), lines, name)
            elif token in ACTIVATIONS:
                x = ACTIVATIONS[token](x)
            elif token[0].isalpha():
                x = operate(x, token, tokens[position + 1 :], lines)
    return x.flatten(1)


def weigh(x: Tensor, kind: str, groups: int, weights: dict[str, Tensor], name: str) -> Tensor:
    """Apply a word that has weights and keeps the map."""
    if kind == "prelu":
        return x.clamp(min=0) + weights[f"{name}.weight"] * x.clamp(max=0)
    if kind in ("ln", "gn"):
        return F.group_norm(x, groups, weights[f"{name}.weight"], weights[f"{name}.bias"])
    mean, var = weights[f"{name}.running_mean"], weights[f"{name}.running_var"]
    return F.batch_norm(x, mean, var, weights.get(f"{name}.weight"), weights[f"{name}.bias"])


def operate(x: Tensor, token: str, after: list[str], weights: dict[str, Tensor]) -> Tensor:
    """Apply a word that makes a new map; words that do nothing here give the map back."""
    kind, size = split(token)
    plain = {"stride": size if "pool" in kind else (1, 1), "dilation": (1, 1), "pad": (0, 0)}
    given = plain | {"groups": (1, 1)} | dict(map(split, after))
    groups = given["groups"][0]
    window = {
        "stride": given["stride"],
        "padding": given["pad"],
    }
    spread = window | {"dilation": given["dilation"]}
    if kind == "gap":
        return x.mean((2, 3), keepdim=True)
    if kind == "linear":
        return F.linear(x.flatten(1), weights["linear.weight"], weights.get("linear.bias"))[
            ..., None, None
        ]
    if kind == "maxpool":
        return F.max_pool2d(x, size, **window)
    if kind == "avgpool":
        return F.avg_pool2d(x, size, **window)
    if kind == "conv":
        return convolve(x, weights, "conv", groups, **spread)
    if kind == "depthwise":
        return convolve(x, weights, "depthwise", x.shape[1], **spread)
    if kind == "separable":
        x = convolve(x, weights, "separable.depthwise", x.shape[1], **spread)
        return convolve(x, weights, "separable.pointwise", 1)
    return x


def split(token: str) -> tuple[str, tuple[int, int]]:
    """Split a word into its letters and its numbers for both axes."""
    name = token.rstrip("0123456789x.")
    numbers = [int(number) for number in token.removeprefix(name).split("x") if number.isdigit()]
    return name, ((*numbers, *numbers)[:2] if numbers else (0, 0))  # type: ignore[return-value]


def convolve(
    x: Tensor, weights: dict[str, Tensor], name: str, groups: int, **window: tuple[int, int]
) -> Tensor:
    """Convolve with the weights of a module."""
    weight, bias = weights[f"{name}.weight"], weights.get(f"{name}.bias")
    return F.conv2d(x, weight, bias, groups=groups, **window)


def with_odd_norms(network: Network) -> Network:
    """Give every BatchNorm statistics and scales that matter."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            # A scale of ones that is no parameter is not in the state dict.
            for tensor in module.state_dict().values():
                if tensor.is_floating_point():
                    tensor.uniform_(0.5, 1.5)
    return network


@relaxed
@given(architectures())
@example(BLOCKS)
def test_network_computes_what_the_text_says(architecture: Architecture) -> None:
    """The module gives what the words give when each is applied by hand, shared weights too."""
    network = with_odd_norms(build(architecture)).double().eval()
    x = images(architecture).double()
    given_images = x.clone()
    logits = network(x)
    assert logits.shape == (3, architecture.classes)
    torch.testing.assert_close(logits, by_the_book(architecture, network.state_dict(), x))
    assert torch.equal(x, given_images)


@relaxed
@given(architectures())
@example(BLOCKS)
def test_shapes_are_those_of_the_module(architecture: Architecture) -> None:
    """The map after every line that can be cut there has the shape that was computed."""
    for line, shape in enumerate(architecture.shapes):
        if shape[1:] == (1, 1):
            part = Architecture(architecture.input_shape, architecture.layers[: line + 1])
            assert build(part).eval()(images(part)).shape == (3, shape[0])


@relaxed
@given(architectures())
@example(BLOCKS)
def test_overwriting_maps_changes_no_gradient(architecture: Architecture) -> None:
    """In training, gradients equal those of the same network with nothing done in place."""
    network = build(architecture).double()
    apart = copy.deepcopy(network)
    for module in apart.modules():
        if hasattr(module, "inplace"):
            module.inplace = False
    x = images(architecture).double()
    results = []
    for each in (network, apart):
        torch.manual_seed(0)
        logits = each(x)
        logits.square().sum().backward()
        results.append([logits.detach(), *(p.grad for p in each.parameters())])
    torch.testing.assert_close(*results)


@relaxed
@given(architectures())
@example(BLOCKS)
def test_copies_and_state_dicts_are_whole(architecture: Architecture) -> None:
    """A deep copy, a saved and loaded module and a loaded state dict give the same logits."""
    network = with_odd_norms(build(architecture)).eval()
    file = io.BytesIO()
    torch.save(network, file)
    file.seek(0)
    loaded = build(architecture).eval()
    loaded.load_state_dict(network.state_dict())
    x = images(architecture)
    logits = network(x)
    for other in (copy.deepcopy(network), torch.load(file, weights_only=False), loaded):
        torch.testing.assert_close(other(x), logits)
    for parameter in copy.deepcopy(network).parameters():
        parameter.data.zero_()
    torch.testing.assert_close(network(x), logits)


def test_parameter_names() -> None:
    """Parameters are called after their line and word, and these names never change."""
    names = [name for name, _ in build(BLOCKS).named_parameters()]
    assert names == [
        "line1.conv.weight",
        "line1.bn.weight",
        "line1.bn.bias",
        "line2.bn.weight",
        "line2.bn.bias",
        "line2.conv.weight",
        "line4.separable.depthwise.weight",
        "line4.separable.pointwise.weight",
        "line4.bn.weight",
        "line4.bn.bias",
        "line6.conv.weight",
        "line6.bn.weight",
        "line6.bn.bias",
        "line7.conv.weight",
        "line7.bn.weight",
        "line7.bn.bias",
        "line8.again1.bn.weight",
        "line8.again1.bn.bias",
        "line8.again2.bn.weight",
        "line8.again2.bn.bias",
        "line9.bn.weight",
        "line9.bn.bias",
        "line10.linear.weight",
        "line10.linear.bias",
        "line11.conv.weight",
    ]
    twice = build(Architecture.parse("bn conv1 4 bn relu relu\ngap"))
    assert list(twice.line1._modules) == ["bn", "conv", "bn2", "relu", "relu2"]


def test_again_shares_weights_and_sums_gradients() -> None:
    """A repeated line has one weight, whose gradient is the sum over its applications."""
    text = "input 4x6x6\nconv3 4 pad1 relu\n{}\ngap"
    shared = build(Architecture.parse(text.format("again"))).double()
    apart = build(Architecture.parse(text.format("conv3 4 pad1 relu"))).double()
    weight = shared.get_parameter("line1.conv.weight")
    for parameter in apart.parameters():
        parameter.data.copy_(weight.data)
    x = images(shared.architecture).double()
    assert sum(1 for _ in shared.parameters()) == 1
    torch.testing.assert_close(shared(x), apart(x))
    for network in (shared, apart):
        network(x).square().sum().backward()
    total = sum(p.grad for p in apart.parameters() if p.grad is not None)
    torch.testing.assert_close(weight.grad, total)


def test_default_initialisation() -> None:
    """A network starts with the weights that torch gives the same modules in the same order."""
    torch.manual_seed(3)
    network = build(Architecture.parse("conv3 4 bn relu\ngap\nlinear 10"))
    torch.manual_seed(3)
    conv, linear = nn.Conv2d(1, 4, 3, bias=False), nn.Linear(4, 10)
    assert torch.equal(network.get_parameter("line1.conv.weight"), conv.weight)
    assert torch.equal(network.get_parameter("line3.linear.weight"), linear.weight)
    assert torch.equal(network.get_parameter("line3.linear.bias"), linear.bias)


def test_network_compiles_to_one_graph() -> None:
    """The compiler takes the whole forward as one graph, in training and in evaluation."""
    network = build(BLOCKS)
    x = images(BLOCKS)
    compiled = torch.compile(network, backend="eager", fullgraph=True)
    for training in (True, False):
        network.train(training)
        state = copy.deepcopy(network.state_dict())
        torch.manual_seed(0)
        expected = network(x)
        network.load_state_dict(state)
        torch.manual_seed(0)
        torch.testing.assert_close(compiled(x), expected)
        compiled(x).sum().backward()


def test_batch_norm_on_one_pixel_maps_trains() -> None:
    """BatchNorm after global pooling works with any batch of at least two images."""
    network = build(Architecture.parse("conv3 8\ngap bn relu\nconv1 10 bn"))
    network(images(network.architecture, 2)).sum().backward()


def test_only_maps_that_a_skip_needs_are_kept() -> None:
    """A line's input may be let go at once unless a later skip adds it."""
    network = build(Architecture.parse("conv3 4 pad1\nconv3 4 pad1\nconv3 4 pad1 skip2\ngap"))
    alive: list[list[int]] = []
    born: list[weakref.ref[Tensor]] = []

    def watch(module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        born.append(weakref.ref(output))
        alive.append([index for index, map_ in enumerate(born) if map_() is not None])

    for module in network.modules():
        if not list(module.children()):
            module.register_forward_hook(watch)
    with torch.no_grad():
        network.eval()(images(network.architecture))
    assert alive == [[0], [0, 1], [0, 1, 2], [3]]


def test_lines_that_do_not_fit_are_not_built() -> None:
    """An architecture that does not fit together is refused before any module is made."""
    with pytest.raises(ShapeError):
        build(Architecture((1, 4, 4), (Layer.parse("conv5 10"),)))

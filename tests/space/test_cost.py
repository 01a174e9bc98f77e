from __future__ import annotations

import re
from math import prod

import pytest
import torch
from hypothesis import assume, example, given, settings
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from space.architecture import Architecture
from space.cost import cost
from space.errors import ShapeError
from space.layers import Layer, Linear, Operation, Separable, Skip, Word
from space.layers.operations import Convolution
from space.network import FlatLinear, Network, build
from tests.space.seed_networks import SEED_NETWORKS, SeedNetwork
from tests.space.strategies import BLOCKS, architectures

relaxed = settings(max_examples=60)

OPERATIONS = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, FlatLinear)


def image(architecture: Architecture) -> Tensor:
    """Make one random image of the architecture's shape."""
    return torch.randn(1, *architecture.input_shape)


@pytest.mark.parametrize("seed", SEED_NETWORKS, ids=lambda seed: seed.steps)
def test_seed_networks(seed: SeedNetwork) -> None:
    """The thirty networks cost what their authors and independent counts say."""
    counted = cost(Architecture.parse(seed.lines))
    assert counted.parameters == seed.parameters
    assert counted.macs == seed.macs
    fields = (counted.receptive_field_before_gap, counted.receptive_field)
    assert fields == seed.receptive_fields


@relaxed
@given(architectures())
@example(BLOCKS)
def test_parameters_are_those_of_the_module(architecture: Architecture) -> None:
    """The count equals the trainable parameters of the real module, shared ones once."""
    network = build(architecture)
    assert cost(architecture).parameters == sum(p.numel() for p in network.parameters())


@relaxed
@given(architectures())
@example(BLOCKS)
def test_macs_are_those_of_the_module(architecture: Architecture) -> None:
    """The count equals what the real convolutions and linear layers multiply, each time."""
    macs = 0

    def count(module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        nonlocal macs
        if isinstance(module, nn.Conv2d | nn.Linear):
            macs += output.numel() * module.weight[0].numel()

    network = build(architecture).eval()
    for module in network.modules():
        module.register_forward_hook(count)
    network(image(architecture))
    assert cost(architecture).macs == macs


@relaxed
@given(architectures())
@example(BLOCKS)
def test_activation_memory_is_that_of_the_module(architecture: Architecture) -> None:
    """The peak equals what the real operations read and write, and skips keep, at one time."""
    assert cost(architecture).activation_bytes == 4 * measured_peak(architecture)


def measured_peak(architecture: Architecture) -> int:
    """Run the network and add up, at every operation, its maps and those kept for a skip."""
    sizes: list[tuple[int, int]] = []
    network = build(architecture).eval()
    for module in network.modules():
        if isinstance(module, OPERATIONS):
            module.register_forward_hook(
                lambda _, inputs, output: sizes.append((inputs[0].numel(), output.numel()))
            )
    images = image(architecture)
    network(images)
    measured, current = iter(sizes), images.numel()
    entering: list[int] = []
    operations: list[list[tuple[int, int]]] = []
    kept_until: dict[int, int] = {}
    for index, application in enumerate(architecture.applications):
        words = architecture.layers[application.source].words
        entering.append(current)
        operations.append([next(measured) for word in words for _ in range(count_modules(word))])
        current = operations[-1][-1][1] if operations[-1] else current
        kept_until |= {index - word.lines + 1: index for word in words if isinstance(word, Skip)}
    peak = 0
    for index, (operand, pairs) in enumerate(zip(entering, operations, strict=True)):
        kept = sum(entering[k] for k, until in kept_until.items() if k < index <= until)
        own = operand if index in kept_until else 0
        held = [operand] + [sum(pair) + own * (part > 0) for part, pair in enumerate(pairs)]
        peak = max(peak, kept + max(held))
    return peak


def count_modules(word: Word) -> int:
    """Count the modules that make a new map for one word."""
    return 2 if isinstance(word, Separable) else int(isinstance(word, Operation))


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        ("input 4x8x8\ngap", 4 * 64 + 4),
        ("input 4x8x8\nrelu bn\ngap", 4 * 64 + 4),
        ("input 4x8x8\nconv3 6 pad1 bn relu\ngap", (4 + 6) * 64),
        ("input 4x8x8\nconv3 4 pad1 skip\ngap", (4 + 4) * 64),
        ("input 4x8x8\nconv3 8 pad1\nconv3 4 pad1 skip2\ngap", (4 + 8 + 4) * 64),
        ("input 4x8x8\nseparable3 6 pad1\ngap", (4 + 6) * 64),
        ("input 4x8x8\nseparable3 2 pad1\ngap", (4 + 4) * 64),
        ("input 4x8x8\nseparable3 4 pad1 skip\ngap", (4 + 4 + 4) * 64),
        ("input 4x1x1\nrelu", 4),
    ],
)
def test_activation_memory_by_hand(text: str, elements: int) -> None:
    """Small cases hold the maps that one counts by hand."""
    counted = cost(Architecture.parse(text))
    assert counted.activation_bytes == 4 * elements
    assert counted.activation_kib == elements / 256


@relaxed
@given(architectures())
@example(BLOCKS)
def test_deployed_parameters_are_those_after_folding(architecture: Architecture) -> None:
    """Really folding BatchNorm keeps the function and leaves the promised number of parameters."""
    network = build(architecture).double().eval()
    randomise_norms(network)
    images = image(architecture).double()
    before = network(images)
    fold(network)
    torch.testing.assert_close(network(images), before)
    assert cost(architecture).deployed_parameters == sum(p.numel() for p in network.parameters())


def randomise_norms(network: nn.Module) -> None:
    """Give every BatchNorm statistics and scales that matter."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            # A scale of ones that is no parameter is not in the state dict.
            for tensor in module.state_dict().values():
                if tensor.is_floating_point():
                    tensor.uniform_(0.5, 1.5)


def fold(network: Network) -> None:
    """Fold every BatchNorm that directly follows a convolution or linear word on its line."""
    several = {each.source for each in network.architecture.applications if each.norms}
    for name, line in network.named_children():
        number = int(name.removeprefix("line")) - 1
        if number in several or network.architecture.layers[number].again:
            continue
        modules = line.children()
        fed: nn.Conv2d | nn.Linear | None = None
        for word in network.architecture.layers[number].words:
            module = None if isinstance(word, Skip) else next(modules)
            if isinstance(word, Convolution | Linear):
                fed = module[-1] if isinstance(module, nn.Sequential) else module
            elif isinstance(module, nn.BatchNorm2d) and fed is not None:
                fold_one(fed, module)
            else:
                fed = None


def fold_one(fed: nn.Conv2d | nn.Linear, norm: nn.BatchNorm2d) -> None:
    """Move what a BatchNorm does into the weights before it and leave it without effect."""
    if isinstance(fed, nn.Conv2d):
        fused = fuse_conv_bn_eval(fed, norm)
    else:
        fused = fuse_linear_bn_eval(fed, norm)
    fed.weight, fed.bias = fused.weight, fused.bias
    norm.weight = norm.bias = None
    norm.running_mean.zero_()
    norm.running_var.fill_(1 - norm.eps)


@relaxed
@given(architectures([(1, 28, 28), (2, 9, 7)], whole_map=False))
def test_receptive_field_is_what_the_gradient_reaches(architecture: Architecture) -> None:
    """The pixels that a middle output depends on, in an image without borders near, span it."""
    field = cost(architecture).receptive_field_before_gap
    apart = prod(
        max(word.window((1, 1, 1))[1])
        for application in architecture.applications
        for word in architecture.layers[application.source].words
        if isinstance(word, Operation)
    )
    side = 2 * field + 4 * apart
    assume(side <= 128)
    # An average passes its gradient on to the whole window, a maximum to one pixel; a norm of an
    # image reaches all of it, and that is not counted; a flat slope passes nothing on.
    lines = [str(layer).replace("maxpool", "avgpool") for layer in architecture.layers]
    lines = [re.sub(r"\b(ln|gn[0-9]+)\b", "bn", line) for line in lines]
    lines = [re.sub(r"\b(tanh|sigmoid)\b", "relu", line) for line in lines]
    try:
        large = Architecture.parse(lines, (architecture.input_shape[0], side, side))
    except ShapeError:
        # A skip around a strided line fits one size only.
        assume(False)
    assert cost(large).receptive_field_before_gap == field
    assert max(reached(large)) == field


def reached(architecture: Architecture) -> tuple[int, int]:
    """Measure height and width of the pixels that the middle of the last map depends on."""
    network = build(architecture).double().eval()
    for parameter in network.parameters():
        parameter.data.abs_().add_(0.1)
    maps: list[Tensor] = []
    for module in network.modules():
        if isinstance(module, nn.AdaptiveAvgPool2d):
            module.register_forward_pre_hook(lambda _, inputs: maps.append(inputs[0]))
    images = torch.ones(1, *architecture.input_shape, dtype=torch.float64, requires_grad=True)
    network(images)
    middle = maps[-1][0, :, maps[-1].shape[2] // 2, maps[-1].shape[3] // 2]
    (gradient,) = torch.autograd.grad(middle.sum(), images)
    rows, columns = gradient[0].sum(0).nonzero(as_tuple=True)
    return int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("conv3 8\nmaxpool2\nconv3 8\ngap\nlinear 10", 8, 28),
        ("conv3 8\nmaxpool2\nlinear 10", 28, 28),
        ("input 1x8x20\nconv3 8\ngap\nconv3 10 pad1", 3, 20),
        ("conv5 8 pad2 stride2\nconv4 8\ngap", 11, 31),
        ("gap\nconv1 10", 1, 28),
        ("conv3x7 8 stride1x2\nmaxpool3 pad1 stride2\nconv3 8 dilation2\ngap", 27, 31),
    ],
)
def test_receptive_field_by_hand(text: str, before: int, after: int) -> None:
    """Small cases have the receptive fields of the usual recursion, the longer side's after gap."""
    counted = cost(Architecture.parse(text))
    assert (counted.receptive_field_before_gap, counted.receptive_field) == (before, after)


def test_lines_that_do_not_fit_have_no_cost() -> None:
    """An architecture that does not fit together is refused, not counted."""
    with pytest.raises(ShapeError):
        cost(Architecture((1, 28, 28), (Layer.parse("conv3 8"),)))

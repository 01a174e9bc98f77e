from __future__ import annotations

import itertools
import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from space import Architecture
from tests.trainer.drawn_networks import network_of
from tests.trainer.small_networks import convolutional
from trainer.errors import NoKernels
from trainer.native.program import (
    AdditionOp,
    ConvolutionOp,
    NormActivationOp,
    Operation,
    PoolingOp,
    Program,
    Shape,
)
from trainer.native.tracing import trace

SHAPE: Shape = (3, 8, 8)
LETTERS = "and"

# A list such as the kernels have; another one would do as well.
ACTIVATIONS = (
    "Identity()",
    "ReLU()",
    "LeakyReLU(negative_slope=0.01)",
    "SiLU()",
    "Hardswish()",
    "LeakyReLU(negative_slope=0.3)",
)
RELU, SILU = 1, 3


class Given(nn.Module):
    """A network whose forward is a function of itself and the images."""

    def __init__(self, forward: Callable[[Given, Tensor], object], **parts: nn.Module) -> None:
        super().__init__()
        for name, part in parts.items():
            self.add_module(name, part)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.given = forward

    def forward(self, pixels: Tensor) -> object:
        """Calls the function."""
        return self.given(self, pixels)


class Standardised(nn.Conv2d):
    """A convolution whose weights are centred first."""

    def forward(self, maps: Tensor) -> Tensor:
        """Convolves with centred weights."""
        return functional.conv2d(maps, self.weight - self.weight.mean(), self.bias)


class Scaled(nn.Sequential):
    """Takes a scale beside the images."""

    def forward(self, pixels: Tensor, scale: Tensor) -> Tensor:
        """Adds the scale to the logits."""
        logits: Tensor = super().forward(pixels)
        return logits + scale


class Resting(nn.Sequential):
    """Keeps its BatchNorm in evaluation mode, as those who fine-tune do."""

    def train(self, mode: bool = True) -> Resting:
        """Sets the mode of all but BatchNorm."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self


def ended(*modules: nn.Module) -> nn.Sequential:
    """Modules and a head that takes any map."""
    return nn.Sequential(*modules, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def conv(**changes: object) -> nn.Conv2d:
    """A convolution from 3 to 4 channels."""
    values = {"in_channels": 3, "out_channels": 4, "kernel_size": 3, **changes}
    return nn.Conv2d(**values)  # type: ignore[arg-type]


def hooked(module: nn.Module, kind: str) -> nn.Module:
    """A module with a hook that does nothing."""
    getattr(module, f"register_{kind}")(lambda *_: None)
    return module


REFUSED_MODULES: dict[str, tuple[nn.Module, str]] = {
    "padding mode": (conv(padding=1, padding_mode="reflect"), "not support Conv2d"),
    "padding same": (conv(padding="same"), "not support Conv2d"),
    "transposed": (nn.ConvTranspose2d(3, 4, 3), "not support ConvTranspose2d"),
    "own convolution": (Standardised(3, 4, 3), "mean"),
    "weight norm": (parametrizations.weight_norm(conv()), "not support"),
    "dropout of volumes": (nn.Dropout3d(0.1), "not support Dropout3d"),
    "alpha dropout": (nn.AlphaDropout(0.1), "not support AlphaDropout"),
    "all dropped": (nn.Dropout(1.0), "not support Dropout"),
    "no statistics": (nn.BatchNorm2d(3, track_running_stats=False), "not support BatchNorm2d"),
    "plain average": (nn.BatchNorm2d(3, momentum=None), "not support BatchNorm2d"),
    "instance norm": (nn.InstanceNorm2d(3), "not support InstanceNorm2d"),
    "group norm": (nn.GroupNorm(1, 3), "not support GroupNorm"),
    "other slope": (nn.LeakyReLU(0.2), "not support LeakyReLU"),
    "other activation": (nn.Mish(), "not support Mish"),
    "mean without padding": (
        nn.AvgPool2d(3, padding=1, count_include_pad=False),
        "not support AvgPool2d",
    ),
    "rounding up": (nn.MaxPool2d(3, ceil_mode=True), "not support MaxPool2d"),
    "rounding the mean up": (nn.AvgPool2d(3, ceil_mode=True), "not support AvgPool2d"),
    "dilated pool": (nn.MaxPool2d(2, dilation=2), "not support MaxPool2d"),
    "indices": (nn.MaxPool2d(2, return_indices=True), "not support MaxPool2d"),
    "divisor": (nn.AvgPool2d(2, divisor_override=3), "not support AvgPool2d"),
    "four means": (nn.AdaptiveAvgPool2d(2), "not support AdaptiveAvgPool2d"),
    "largest of all": (nn.AdaptiveMaxPool2d(1), "not support AdaptiveMaxPool2d"),
    "vanished": (conv(kernel_size=9), "does not fit"),
    "vanished by a pool": (nn.MaxPool2d(9), "does not fit"),
    "flat activation": (nn.Sequential(nn.Flatten(), nn.GELU()), "flattened"),
    "linear on maps": (nn.Linear(8, 8), "not flattened"),
    "linear of other size": (nn.Sequential(nn.Flatten(), nn.Linear(64, 4)), "64 inputs"),
    "images flattened": (nn.Flatten(0), "not support Flatten"),
    "channels kept": (nn.Flatten(2), "not support Flatten"),
    "other channels": (conv(in_channels=4), "channels"),
    "other group channels": (conv(in_channels=6, groups=2), "channels"),
    "other normalised channels": (nn.BatchNorm2d(4), "channels"),
    "a hook": (hooked(conv(), "forward_hook"), "hooks"),
    "an early hook": (hooked(nn.Sequential(conv()), "forward_pre_hook"), "hooks"),
    "a backward hook": (hooked(nn.ReLU(), "full_backward_hook"), "hooks"),
    "part in evaluation": (Resting(conv(), nn.BatchNorm2d(4)), "mode"),
    "double precision": (conv().double(), "float32"),
    "half a precision": (nn.BatchNorm2d(3).bfloat16(), "float32"),
}


@pytest.mark.parametrize("name", REFUSED_MODULES)
def test_unsupported_modules_are_refused(name: str) -> None:
    """What the kernels would compute otherwise than torch must be refused, with the reason."""
    module, reason = REFUSED_MODULES[name]
    with pytest.raises(NoKernels, match=reason) as caught:
        trace(ended(module), SHAPE, ACTIVATIONS)
    assert "\n" not in str(caught.value)


REFUSED_FORWARDS: dict[str, tuple[Callable[[Given, Tensor], object], str]] = {
    "function": (lambda n, x: n.head(functional.relu(n.conv(x))), "relu"),
    "method": (lambda n, x: n.head(n.conv(x).relu()), "relu"),
    "product": (lambda n, x: n.head(n.conv(x) * x), "mul"),
    "function that adds": (lambda n, x: n.head(torch.add(x, n.conv(x))), "add"),
    "number added": (lambda n, x: n.head(n.conv(x) + 1), "not a map"),
    "parameter added": (lambda n, x: n.head(n.conv(x) + n.conv.bias), "not a map"),
    "two shapes": (lambda n, x: n.head(n.conv(x) + n.head[0](x)), "two shapes"),
    "flat sum": (lambda n, x: n.head(x) + n.head(x), "two shapes"),
    "in place": (lambda n, x: n.head(n.relu(y := n.conv(x)) + y), "overwrites"),
    "in place later": (lambda n, x: n.head((y := n.conv(x)) + n.relu(y)), "overwrites"),
    "in place by another name": (
        lambda n, x: n.head(n.relu(n.same(y := n.conv(x))) + y),
        "overwrites",
    ),
    "unused": (lambda n, x: (n.conv(x), n.head(x))[1], "does not use"),
    "unused last": (lambda n, x: (n.head(x), n.conv(x))[0], "after its logits"),
    "maps for logits": (lambda n, x: n.conv(x), "logits"),
    "large logits": (lambda n, x: n.conv(x).flatten(1), "logits"),
    "two outputs": (lambda n, x: (n.head(x), n.head(n.conv(x))), "not a map"),
    "nothing": (lambda n, x: x, "logits"),
    "question to the numbers": (
        lambda n, x: n.head(n.conv(x)) if x.sum() > 0 else n.head(x),
        "traced",
    ),
    "failure": (lambda n, x: n.head(n.conv(x, x, x).missing), "more than one|missing|traced"),
    "two arguments": (lambda n, x: n.relu(n.conv(x), x), "more than one"),
    "training alone": (lambda n, x: n.head(n.conv(x) if n.training else x), "evaluation"),
    "functional dropout": (
        lambda n, x: n.head(functional.dropout(n.conv(x), 0.5, n.training)),
        "evaluation|dropout",
    ),
    "view": (lambda n, x: n.head[0](x).view(-1, 3), "view"),
    "all flattened": (lambda n, x: n.head[0](x).flatten(), "flatten"),
    "channels flattened": (lambda n, x: n.head[0](x).flatten(end_dim=1), "flatten"),
    "other index": (lambda n, x: n.head(x[:, :1]), "getitem"),
    "map of a flat one": (lambda n, x: x.flatten(1)[:, :, None, None].flatten(1), "getitem"),
    "changed weights": (lambda n, x: functional.linear(n.head(x), n.last.weight * 2), "mul"),
}


@pytest.mark.parametrize("name", REFUSED_FORWARDS)
def test_unsupported_forwards_are_refused(name: str) -> None:
    """A network's own Python must be followed exactly or not at all."""
    forward, reason = REFUSED_FORWARDS[name]
    parts = {"conv": nn.Conv2d(3, 3, 1), "relu": nn.ReLU(inplace=True), "same": nn.Identity()}
    network = Given(forward, **parts, last=nn.Linear(3, 3))
    with pytest.raises(NoKernels, match=reason):
        trace(network, SHAPE, ACTIVATIONS)


def test_more_than_images_is_refused() -> None:
    """A network that takes something else beside the images must be refused."""
    with pytest.raises(NoKernels, match="more inputs than images"):
        trace(Scaled(ended(conv())), SHAPE, ACTIVATIONS)


def made(letters: str) -> list[nn.Module]:
    """Activations, normalisations and dropouts in the order of the letters a, n and d."""
    kinds = {"a": nn.SiLU, "n": lambda: nn.BatchNorm2d(3), "d": lambda: nn.Dropout(0.25)}
    return [kinds[letter]() for letter in letters]


def parts(operation: Operation) -> str:
    """What an operation does, in its order, in the same letters."""
    assert isinstance(operation, NormActivationOp)
    assert operation.dropout in (0, 0.25)
    done = [operation.first, operation.norm, operation.second, operation.dropout]
    return "".join(letter for letter, part in zip("anad", done, strict=True) if part)


@pytest.mark.parametrize(
    "letters",
    ["".join(some) for n in range(1, 5) for some in itertools.product(LETTERS, repeat=n)],
)
def test_neighbours_become_one_operation(letters: str) -> None:
    """Any order must stay, and be read in as few operations as the kernels' own order allows."""
    modules = made(letters)
    *elementwise, pool = trace(ended(*modules), SHAPE, ACTIVATIONS).operations
    assert isinstance(pool, PoolingOp)
    assert "".join(map(parts, elementwise)) == letters
    assert len(elementwise) == len(re.findall("an?d?|na?d?|d", letters))
    norms = [each.norm for each in elementwise if isinstance(each, NormActivationOp) and each.norm]
    assert norms == [module for module in modules if isinstance(module, nn.BatchNorm2d)]
    numbers = [(each.source, each.target) for each in (*elementwise, pool)]
    assert numbers == list(itertools.pairwise(range(len(numbers) + 1)))


@pytest.mark.parametrize(
    ("module", "number"),
    [
        (nn.ReLU(), 1),
        (nn.ReLU(inplace=True), 1),
        (nn.LeakyReLU(), 2),
        (nn.LeakyReLU(0.01, inplace=True), 2),
        (nn.SiLU(), 3),
        (nn.SiLU(inplace=True), 3),
        (nn.Hardswish(), 4),
        (nn.Hardswish(inplace=True), 4),
        (nn.LeakyReLU(0.3), 5),
    ],
)
def test_activations_are_known_by_what_they_print(module: nn.Module, number: int) -> None:
    """Each must be the one that the list names so, before a normalisation and after it."""
    for modules, attribute in (
        ([module, nn.BatchNorm2d(3)], "first"),
        ([nn.BatchNorm2d(3), module], "second"),
    ):
        operation, _ = trace(ended(*modules), SHAPE, ACTIVATIONS).operations
        assert getattr(operation, attribute) == number


def test_a_class_of_the_same_name_is_not_torchs() -> None:
    """What a module prints must count only if torch itself made the class."""
    impostor = type("ReLU", (nn.ReLU,), {"__module__": "torch.nn.modules.activation"})
    with pytest.raises(NoKernels, match=r"not support ReLU\(\)"):
        trace(ended(impostor()), SHAPE, ACTIVATIONS)


def test_what_does_nothing_vanishes() -> None:
    """Identities and dropout of rate 0 must be no operations nor keep others apart."""
    nothing = [nn.Identity(), nn.Dropout(0.0), nn.Sequential()]
    network = ended(*nothing, nn.ReLU(), *nothing, nn.BatchNorm2d(3), *nothing, nn.Dropout(0.25))
    operation, pool = trace(network, SHAPE, ACTIVATIONS).operations
    assert parts(operation) == "and"
    assert (pool.source, pool.target) == (1, 2)


@pytest.mark.parametrize("through", [[], [nn.Identity()], [nn.Dropout(0.0), nn.Identity()]])
def test_a_map_that_is_read_twice_is_not_changed(through: list[nn.Module]) -> None:
    """What others still read must not be fused with what comes next, by whatever name."""
    norm, same = nn.BatchNorm2d(3), nn.Sequential(*through)
    network = Given(lambda n, x: n.head(n.silu(n.same(y := n.norm(x))) + y), norm=norm, same=same)
    network.add_module("silu", nn.SiLU())
    assert trace(network, SHAPE, ACTIVATIONS).operations == [
        NormActivationOp(0, 1, norm=norm),
        NormActivationOp(1, 2, first=SILU),
        AdditionOp(2, 1, 3),
        PoolingOp(3, 4, False, (8, 8), (8, 8)),
    ]


def test_a_shared_module_is_read_each_time() -> None:
    """A module that is called twice must give two operations with the same weights."""
    network = Given(lambda n, x: n.head(n.conv(n.norm(n.conv(n.norm(x))))))
    network.conv, network.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)
    first, second, third, fourth, _ = trace(network, SHAPE, ACTIVATIONS).operations
    assert isinstance(second, ConvolutionOp)
    assert isinstance(fourth, ConvolutionOp)
    assert second.weight is fourth.weight is network.conv.weight
    assert (first, third) == (
        NormActivationOp(0, 1, norm=network.norm),
        NormActivationOp(2, 3, norm=network.norm),
    )


def test_a_plain_network_is_read_in_full() -> None:
    """Shapes, kernels, strides, paddings and parameters must be the network's own."""
    network = nn.Sequential(
        nn.Conv2d(3, 6, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 5), groups=3),
        nn.MaxPool2d((2, 1)),
        nn.AvgPool2d(2, stride=(1, 3), padding=(0, 1)),
        nn.Conv2d(6, 4, 1, bias=False),
        nn.Flatten(),
        nn.Linear(8, 5),
        nn.Linear(5, 2, bias=False),
    )
    first, _, _, second, _, third, fourth = network
    program = trace(network, (3, 8, 10), ACTIVATIONS)
    shapes: list[Shape] = [
        *((3, 8, 10), (6, 4, 5), (6, 2, 5), (6, 1, 2), (4, 1, 2)),
        *((5, 1, 1), (2, 1, 1)),
    ]
    operations: list[Operation] = [
        ConvolutionOp(0, 1, first.weight, first.bias, (3, 2), (2, 1), (1, 0), (1, 5), 3),
        PoolingOp(1, 2, True, (2, 1), (2, 1)),
        PoolingOp(2, 3, False, (2, 2), (1, 3), (0, 1)),
        ConvolutionOp(3, 4, second.weight, None, (1, 1)),
        ConvolutionOp(4, 5, third.weight, third.bias, (1, 2)),
        ConvolutionOp(5, 6, fourth.weight, None, (1, 1)),
    ]
    assert program == Program(shapes, operations)


def test_linear_lines_of_the_layer_language_are_known() -> None:
    """A linear layer that gives a map back must be read like one that does not."""
    network = network_of(Architecture.parse("linear 8 relu\nlinear 4 nobias", (3, 4, 5)))
    program = trace(network, (3, 4, 5), ACTIVATIONS)
    first, activation, second = program.operations
    weight = network.get_parameter("line1.linear.weight")
    assert first == ConvolutionOp(0, 1, weight, network.get_parameter("line1.linear.bias"), (4, 5))
    assert activation == NormActivationOp(1, 2, first=RELU)
    assert second == ConvolutionOp(2, 3, network.get_parameter("line2.linear.weight"), None, (1, 1))
    assert program.shapes == [(3, 4, 5), (8, 1, 1), (8, 1, 1), (4, 1, 1)]


@pytest.mark.parametrize("refused", [False, True], ids=["known", "unknown"])
def test_tracing_leaves_the_network_as_it_is(refused: bool) -> None:
    """Modes, numbers and torch's random state must be what they were, also after a refusal."""
    network = convolutional(dropout=0.5)
    network.train()
    network[1].eval()
    if refused:
        network.add_module("unknown", nn.Softmax(dim=1))
    modes = [module.training for module in network.modules()]
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    random = torch.get_rng_state()
    if refused:
        with pytest.raises(NoKernels):
            trace(network, (1, 8, 8), ACTIVATIONS)
    else:
        trace(network, (1, 8, 8), ACTIVATIONS)
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(tensor, state[name]) for name, tensor in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)

from __future__ import annotations

import ast
import subprocess

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from ruff import find_ruff_bin
from torch import Tensor, nn

from search.errors import ExportError
from search.export.codegen.layers import weight_names
from search.export.codegen.module import network_source
from space.architecture import Architecture
from space.network import Network, build
from tests.space.strategies import architectures
from trainer.data import Normalisation

GREY = Normalisation((0.1307,), (0.3081,))

EXPECTED = '''"""A network of 2,054 parameters: 1x28x28 images to 10 logits."""

import torch
from torch import Tensor, nn
from torch.nn import functional

# Of each channel of the training images, in [0, 1].
MEAN = (0.1307,)
STD = (0.3081,)


class SmallNet(nn.Module):
    """Images (n, 1, 28, 28), floats in [0, 1], to logits (n, 10)."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        mean, std = torch.tensor(MEAN), torch.tensor(STD)
        self.register_buffer("mean", mean.view(-1, 1, 1), persistent=False)
        self.register_buffer("std", std.view(-1, 1, 1), persistent=False)
        self.stage1 = nn.Sequential(
            nn.Conv2d(1, 8, 3, bias=False),  # 8x26x26
            nn.ReLU(),
            nn.BatchNorm2d(8),
            nn.Dropout(0.1),
            nn.Conv2d(8, 12, 3, bias=False),  # 12x24x24
            nn.SiLU(),
            nn.MaxPool2d(2),  # 12x12x12
        )
        self.stage2_conv1 = nn.Sequential(
            nn.Conv2d(12, 8, 1),  # 8x12x12
            nn.BatchNorm2d(8),
        )
        self.stage2_conv2 = nn.Sequential(
            nn.Conv2d(8, 8, 3, padding=1, bias=False),  # 8x12x12
            nn.BatchNorm2d(8),
        )
        self.stage2_conv3 = nn.Sequential(
            nn.Conv2d(8, 8, 5, stride=2, padding=2, groups=8, bias=False),  # 8x6x6
            nn.Conv2d(8, 10, 1, bias=False),  # 10x6x6
            nn.ReLU(),
        )
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),  # 10x1x1
            nn.Flatten(),
            nn.Linear(10, 10),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Normalise images and give their logits."""
        if list(images.shape[1:]) != [1, 28, 28]:
            raise ValueError("images must have the shape (n, 1, 28, 28)")
        x = (images - self.mean) / self.std
        x = self.stage1(x)  # 12x12x12
        x = self.stage2_conv1(x)  # 8x12x12
        for _ in range(3):
            x = x + self.stage2_conv2(x)
            x = functional.relu(x)
        x = self.stage2_conv3(x)  # 10x6x6
        return self.head(x)
'''


def colourful(architecture: Architecture) -> Normalisation:
    """Give every channel its own mean and deviation."""
    channels = range(1, architecture.input_shape[0] + 1)
    return Normalisation(tuple(c / 9 for c in channels), tuple(0.1 + c / 7 for c in channels))


def load_source(source: str, network: Network) -> nn.Module:
    """Run a source and give its network the weights of the built one."""
    space: dict[str, type[nn.Module]] = {}
    exec(compile(source, "network.py", "exec"), space)
    module = space["SmallNet"]()
    names = weight_names(network.architecture)
    state: dict[str, Tensor] = {}
    for key, value in network.state_dict().items():
        path, _, parameter = key.rpartition(".")
        state[f"{names[path]}.{parameter}"] = value
    module.load_state_dict(state)
    return module.eval()


def network_of(architecture: Architecture) -> Network:
    """Build a network whose BatchNorm statistics are not those of a fresh one."""
    torch.manual_seed(0)
    network = build(architecture).eval()
    parameters = {name for name, _ in network.named_parameters()}
    for name, tensor in network.state_dict().items():
        # A scale of ones that is no parameter is not in the state dict.
        if tensor.is_floating_point() and name not in parameters:
            tensor.uniform_(0.5, 1.5)
    return network


def ruff(*arguments: str, source: str) -> str:
    """Run ruff as it is out of the box; give what it complains about."""
    command = [find_ruff_bin(), *arguments, "--isolated", "--stdin-filename", "network.py", "-"]
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""


@settings(max_examples=80)
@given(architectures())
def test_source_computes_what_the_built_network_computes(architecture: Architecture) -> None:
    """For every architecture the source gives the built network's logits, bit for bit."""
    network, normalisation = network_of(architecture), colourful(architecture)
    exported = load_source(network_source(architecture, "SmallNet", normalisation), network)
    images = torch.rand(3, *architecture.input_shape)
    mean, std = (torch.tensor(v)[:, None, None] for v in (normalisation.mean, normalisation.std))
    with torch.inference_mode():
        wanted = network((images - mean) / std)
        given = exported(images)
    assert given.shape == (3, architecture.classes)
    assert torch.equal(given, wanted)


@settings(max_examples=15)
@given(architectures())
def test_source_is_well_formatted(architecture: Architecture) -> None:
    """Every source is what ruff would format, without lint, without a long line, in ASCII."""
    source = network_source(architecture, "SmallNet", colourful(architecture))
    assert ruff("format", "--diff", source=source) == ""
    assert ruff("check", "--extend-select=I,UP,SIM,RUF,B", source=source) == ""
    assert max(map(len, source.splitlines())) <= 88
    assert source.isascii()


@settings(max_examples=30)
@given(architectures(), st.sampled_from(["SmallNet", "A" * 64]))
def test_source_imports_torch_alone(architecture: Architecture, class_name: str) -> None:
    """A source is a docstring, imports of torch, two constants, one class and its one helper."""
    tree = ast.parse(network_source(architecture, class_name, colourful(architecture)))
    kinds = [type(node) for node in tree.body if not isinstance(node, ast.ImportFrom)]
    helper = [ast.FunctionDef] * ("noscale" in str(architecture))
    assert kinds == [ast.Expr, ast.Import, ast.Assign, ast.Assign, *helper, ast.ClassDef]
    imported = [node.module for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert {*imported} <= {"torch", "torch.nn"}


def test_source_reads_as_if_written_by_hand() -> None:
    """Stages, a skip around one block and a repetition come out as a person would write them."""
    architecture = Architecture.parse(
        """
        conv3 8 relu bn drop0.1
        conv3 12 silu
        maxpool2
        conv1 8 bias bn
        conv3 8 pad1 bn skip relu
        again
        again
        separable5 10 pad2 stride2 relu
        gap
        linear 10
        """
    )
    source = network_source(architecture, "SmallNet", GREY)
    assert source == EXPECTED


@pytest.mark.parametrize(
    ("lines", "forward"),
    [
        (
            ["conv3 4 pad1", "conv1 4 relu", "conv3 4 pad1 skip2", "bn skip2 relu", "gap"],
            [
                "x = self.stage1_conv1(x)  # 4x8x8",
                "shortcut1 = x",
                "x = self.stage1_conv2(x)",
                "shortcut2 = x",
                "x = self.stage1_conv3(x) + shortcut1",
                "x = self.stage1_norm4(x) + shortcut2",
                "x = functional.relu(x)",
                "x = functional.adaptive_avg_pool2d(x, 1)  # 4x1x1",
                "return x.flatten(1)",
            ],
        ),
        (
            ["skip", "gap"],
            [
                "x = x + x",
                "x = functional.adaptive_avg_pool2d(x, 1)  # 1x1x1",
                "return x.flatten(1)",
            ],
        ),
        (
            ["linear 6", "again", "relu"],
            [
                "x = self.head(x)",
                "x = self.head(x)",
                "x = functional.relu(x)",
                "return x.flatten(1)",
            ],
        ),
        (["linear 5", "relu", "linear 3"], ["return self.head(x)"]),
        (["conv7 3 pad1 stride4"], ["return self.head(x)"]),
    ],
)
def test_forward_of_small_networks(lines: list[str], forward: list[str]) -> None:
    """Skips, repetitions and ends of all kinds are written in the shortest way."""
    shape = (6, 1, 1) if "again" in lines else (1, 8, 8)
    architecture = Architecture.parse(lines, shape)
    source = network_source(architecture, "SmallNet", colourful(architecture))
    _, body = source.split(" / self.std\n")
    assert [line.strip() for line in body.splitlines()] == forward


@pytest.mark.parametrize(
    ("line", "source"),
    [
        ("conv1 8 gbn4 relu", "nn.BatchNorm2d(8),"),
        ("conv1 8 bn noscale relu", 'without(nn.BatchNorm2d(8), "weight"),'),
        ("conv1 8 gbn4 noscale relu", 'without(nn.BatchNorm2d(8), "weight"),'),
        ("conv1 8 ln", "nn.GroupNorm(1, 8),"),
        ("conv1 8 gn4", "nn.GroupNorm(4, 8),"),
        ("conv1 8 prelu", "nn.PReLU(),"),
        ("conv1 8 gelu", "nn.GELU(),"),
        ("conv1 8 dropout2d0.1", "nn.Dropout2d(0.1),"),
        ("conv3x1 8 pad1x0", "nn.Conv2d(1, 8, (3, 1), padding=(1, 0), bias=False)"),
        ("conv3 8 dilation2", "nn.Conv2d(1, 8, 3, dilation=2, bias=False)"),
        ("maxpool3 stride2 pad1", "functional.max_pool2d(x, 3, stride=2, padding=1)"),
    ],
)
def test_each_word_is_written_as_torch_has_it(line: str, source: str) -> None:
    """A word comes out as the module or function that a person would take."""
    architecture = Architecture.parse([line, "conv1 10", "gap"])
    assert source in network_source(architecture, "SmallNet", GREY)


@pytest.mark.parametrize(
    "widest",
    [
        "conv99 65536 pad99 stride99 groups65536",
        "conv99x98 65536 pad99x98 stride99x98 dilation2x1 groups65536",
    ],
)
def test_longest_lines_are_broken(widest: str) -> None:
    """The largest numbers of the language still make a well formatted source."""
    architecture = Architecture.parse(
        ["conv1 65536", widest, "gap", "relu drop0.30000000000000004", "skip"], (20, 99, 99)
    )
    normalisation = Normalisation((0.1234567890123456,) * 20, (1e-5,) * 20)
    source = network_source(architecture, "A" * 64, normalisation)
    assert max(map(len, source.splitlines())) <= 88
    assert ruff("format", "--diff", source=source) == ""


@pytest.mark.parametrize(
    "name",
    [
        "",
        "small",
        "None",
        "Tensor",
        "Net\n",
        "Net(nn.Module): pass\nimport os #",
        'Net"""',
        "Nêt",
        "Net\\",
        "A" * 65,
    ],
)
def test_class_names_that_are_refused(name: str) -> None:
    """Nothing but a plain capitalised name comes into the source."""
    architecture = Architecture.parse(["gap"])
    with pytest.raises(ExportError, match="is not a class name"):
        network_source(architecture, name, GREY)


@pytest.mark.parametrize(
    "normalisation",
    [
        Normalisation((0.1, 0.2), (0.3, 0.4)),
        Normalisation((0.1,), ()),
        Normalisation((float("nan"),), (0.3,)),
        Normalisation((0.1,), (float("inf"),)),
        Normalisation((0.1,), (0.0,)),
    ],
)
def test_normalisations_that_are_refused(normalisation: Normalisation) -> None:
    """A normalisation that does not fit the images, or cannot scale them, is not written."""
    with pytest.raises(ExportError, match="normalisation has"):
        network_source(Architecture.parse(["gap"]), "SmallNet", normalisation)

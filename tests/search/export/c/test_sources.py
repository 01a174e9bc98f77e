from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search.deployed.folding import fold
from search.deployed.integer import run_integers
from search.deployed.quantise import quantise
from search.errors import ExportError
from search.export.c.package import write_c, write_c_int8
from search.export.c.source import name_of
from search.export.trained_network import TrainedNetwork
from space.architecture import Architecture
from space.layers.activations import ACTIVATIONS
from space.network import build
from tests.search.export.c.compiled import COMPILERS, compiled, logits_of, needs_compiler
from tests.search.trained_networks import HOSTILE, trained_network
from tests.space.strategies import BLOCKS, architectures
from trainer.batches import normalise

EVERY_ACTIVATION = Architecture.parse(
    ["conv1 2 bn", *(f"conv1 2 {word} bn" for word in ACTIVATIONS), *ACTIVATIONS, "gap"], (1, 3, 3)
)
"""Each activation behind a convolution and by itself."""


def pixels_of(architecture: Architecture, count: int) -> torch.Tensor:
    """Return images of noise, uint8."""
    return torch.randint(0, 256, (count, *architecture.input_shape), dtype=torch.uint8)


def network_of(architecture: Architecture) -> TrainedNetwork:
    """Return a network with images to calibrate by."""
    calibration = pixels_of(architecture, 8)
    return replace(trained_network(architecture), calibration=lambda: calibration)


def channels_last(images: torch.Tensor) -> np.ndarray:
    """Return images as C reads them."""
    return images.permute(0, 2, 3, 1).contiguous().numpy()


def check_floats(architecture: Architecture, folder: Path, compiler: str) -> None:
    """Compare C in floats with the trained network."""
    trained = network_of(architecture)
    write_c(trained, folder)
    images = pixels_of(architecture, 4) / 255.0
    network = build(architecture)
    network.load_state_dict(trained.weights)
    network.double().eval()
    with torch.inference_mode():
        wanted = network(normalise(images.double(), trained.normalisation))
    found = logits_of(compiled(folder, compiler), channels_last(images))
    size = max(1.0, float(wanted.abs().max()))
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-4 * size, rtol=1e-3)


def check_integers(architecture: Architecture, folder: Path, compiler: str) -> None:
    """Compare C in whole numbers with its reference, bit for bit."""
    trained = network_of(architecture)
    write_c_int8(trained, folder)
    images = pixels_of(architecture, 4)
    folded = fold(architecture, trained.weights, trained.normalisation)
    wanted = run_integers(quantise(folded, trained.calibration_images()), images)
    found = logits_of(compiled(folder, compiler), channels_last(images))
    np.testing.assert_array_equal(found, wanted.numpy())


@needs_compiler
@settings(max_examples=12)
@given(architectures(), st.sampled_from(COMPILERS or ["none"]))
def test_floats_are_those_of_the_network(
    tmp_path_factory: pytest.TempPathFactory, architecture: Architecture, compiler: str
) -> None:
    """C gives the logits of the trained network, and makes no error that a sanitizer sees."""
    check_floats(architecture, tmp_path_factory.mktemp("c") / "net", compiler)


@needs_compiler
@settings(max_examples=12)
@given(architectures(), st.sampled_from(COMPILERS or ["none"]))
def test_whole_numbers_are_those_of_the_reference(
    tmp_path_factory: pytest.TempPathFactory, architecture: Architecture, compiler: str
) -> None:
    """C gives the whole numbers of the reference, bit for bit, and makes no error."""
    check_integers(architecture, tmp_path_factory.mktemp("c") / "net", compiler)


@needs_compiler
@pytest.mark.parametrize("architecture", [BLOCKS, EVERY_ACTIVATION], ids=["blocks", "activations"])
@pytest.mark.parametrize("check", [check_floats, check_integers])
def test_long_skips_and_every_activation(
    tmp_path: Path, architecture: Architecture, check: type
) -> None:
    """Both hold for blocks with long skips that are applied again, and for each activation."""
    check(architecture, tmp_path / "net", COMPILERS[0])


LARGE = {
    "a side above 255": (["maxpool2", "conv3 2 stride3 relu", "linear 2"], (1, 602, 8)),
    "a mean of a large map": (["gap", "linear 2"], (1, 300, 300)),
    "windows of 99": (
        ["conv99 2 pad49 stride9", "avgpool9 stride9 pad4", "linear 2"],
        (2, 120, 60),
    ),
    "places of 32 bits": (["conv1 9 relu", "conv1 9 skip", "gap", "linear 2"], (3, 99, 99)),
}


@needs_compiler
@pytest.mark.parametrize(("lines", "shape"), LARGE.values(), ids=LARGE)
@pytest.mark.parametrize("check", [check_floats, check_integers])
def test_large_maps(
    tmp_path: Path, lines: list[str], shape: tuple[int, int, int], check: type
) -> None:
    """Both hold for sides, windows and arenas beyond what fewer bits can say."""
    check(Architecture.parse(lines, shape), tmp_path / "net", COMPILERS[0])


@pytest.mark.parametrize("write", [write_c, write_c_int8])
def test_what_c_cannot_say_is_refused(tmp_path: Path, write: type) -> None:
    """A map whose sizes need more than 16 bits is named, and nothing is written."""
    trained = network_of(Architecture.parse(["linear 2"], (8, 100, 100)))
    with pytest.raises(ExportError, match="8x100x100 is too large for C"):
        write(trained, tmp_path / "net")
    assert not (tmp_path / "net").exists()


@needs_compiler
@pytest.mark.parametrize("name", [*HOSTILE, "*/ #error x /*", "x\\", "??/", "run"])
@pytest.mark.parametrize("write", [write_c, write_c_int8])
def test_no_name_gets_into_the_source(tmp_path: Path, name: str, write: type) -> None:
    """Names of studies, data and classes cannot end a comment nor be source."""
    trained = replace(network_of(Architecture.parse(["gap", "linear 2"])), name=name, dataset=name)
    trained = replace(trained, class_names=(name, "b"))
    write(trained, tmp_path / "net")
    compiled(tmp_path / "net", COMPILERS[0])


def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    """A network with such weights is not written."""
    trained = network_of(Architecture.parse(["gap", "linear 2"]))
    trained.weights["line2.linear.weight"][0, 0] = float("inf")
    with pytest.raises(
        ExportError, match=r"'line2\.linear\.weight' holds values that are not finite"
    ):
        write_c(trained, tmp_path / "net")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("mnist-8k", "mnist_8k"),
        ("8k", "net_8k"),
        ("int", "net_int"),
        ("main", "net_main"),
        ("Größe", "gr_e"),
        ("run", "net_run"),
        ("*/ int x;", "int_x"),
        ("", "net"),
        ("a" * 32, "a" * 32),
        ("int8", "net_int8"),
        ("stdint", "net_stdint"),
    ],
)
def test_names_of_functions(text: str, name: str) -> None:
    """Any text becomes a name for C."""
    assert name_of(text) == name


def test_long_names_stay_apart() -> None:
    """Names that begin alike are cut to different ones of at most 32 characters."""
    names = [name_of(f"a-ladder-of-many-words-step-number-{step}") for step in range(9)]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 32 and name.startswith("a_ladder_of_many_words") for name in names)


@needs_compiler
@pytest.mark.parametrize("name", ["math", "stdint", "int8"])
@pytest.mark.parametrize("write", [write_c, write_c_int8])
def test_no_name_hides_what_is_the_librarys(tmp_path: Path, name: str, write: type) -> None:
    """A header is not taken for one of the C library, nor its macros for those of another C."""
    write(replace(network_of(Architecture.parse(["gap", "linear 2"])), name=name), tmp_path / "net")
    for standard in ("-std=c99", "-std=gnu2x"):
        compiled(tmp_path / "net", COMPILERS[0], standard, "-I.")


@pytest.mark.parametrize("write", [write_c, write_c_int8])
@pytest.mark.parametrize(
    ("key", "value"), [("line1.bn.running_var", -1.0), ("line1.conv.weight", 3e38)]
)
def test_folded_weights_that_are_not_finite_are_refused(
    tmp_path: Path, write: type, key: str, value: float
) -> None:
    """Weights that only the norm behind them makes infinite are named, and nothing is written."""
    trained = network_of(Architecture.parse(["conv3 2 bn", "gap", "linear 2"], (1, 5, 5)))
    trained.weights["line1.bn.running_var"].fill_(1e-3)
    trained.weights[key].fill_(value)
    with pytest.raises(ExportError, match=r"line1\.conv and line1\.bn: .* not finite in single"):
        write(trained, tmp_path / "net")
    assert not (tmp_path / "net").exists()

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from search.deployed.folding import fold
from search.deployed.integer import run_integers
from search.deployed.quantise import quantise
from search.errors import ExportError
from search.export.checks import rounding_of
from search.export.formats import write_formats
from space.architecture import Architecture
from space.network import build_with
from tests.search.export.c.test_sources import EVERY_ACTIVATION, network_of, pixels_of
from tests.space.strategies import BLOCKS, architectures
from trainer.batches import normalise

onnxruntime = pytest.importorskip("onnxruntime", reason="pip install 'flyweight[onnx]'")
pytest.importorskip("onnx", reason="pip install 'flyweight[onnx]'")


def logits_of(folder: Path, images: torch.Tensor) -> np.ndarray:
    """Run the one ONNX file of a folder on images of 0 to 1."""
    (path,) = folder.glob("*.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"images": images.numpy()})
    return np.asarray(found)


def check(architecture: Architecture, folder: Path) -> None:
    """Compare the file in floats with the trained network, in another number of images."""
    trained = network_of(architecture)
    write_formats(trained, folder, ["onnx"])
    pixels = pixels_of(architecture, 3)
    images = pixels / 255.0
    network = build_with(architecture, trained.weights).double()
    with torch.inference_mode():
        wanted = network(normalise(images.double(), trained.normalisation))
    size = max(1.0, float(wanted.abs().max()))
    # Norms enlarge the rounding of single precision, in PyTorch as well.
    near = max(1e-4 * size, 10 * rounding_of(trained, pixels, wanted))
    np.testing.assert_allclose(logits_of(folder, images), wanted.numpy(), atol=near, rtol=1e-3)


@settings(max_examples=15)
@given(architectures())
def test_floats_are_those_of_the_network(
    tmp_path_factory: pytest.TempPathFactory, architecture: Architecture
) -> None:
    """The file gives the logits of the trained network for any number of images."""
    check(architecture, tmp_path_factory.mktemp("onnx") / "net")


@pytest.mark.parametrize("architecture", [BLOCKS, EVERY_ACTIVATION], ids=["blocks", "activations"])
def test_long_skips_and_every_activation(tmp_path: Path, architecture: Architecture) -> None:
    """The same holds for blocks with long skips that are applied again, and each activation."""
    check(architecture, tmp_path / "net")


@pytest.mark.parametrize("architecture", [BLOCKS, EVERY_ACTIVATION], ids=["blocks", "activations"])
def test_quantised_operators_come_near_to_the_reference(
    tmp_path: Path, architecture: Architecture
) -> None:
    """Logits of quantised operators differ from the reference by a few steps at most."""
    trained = network_of(architecture)
    write_formats(trained, tmp_path / "net", ["int8"])
    images = pixels_of(architecture, 16)
    folded = fold(architecture, trained.weights, trained.normalisation)
    network = quantise(folded, trained.calibration_images())
    scaling = network.scalings[network.deployed.logits]
    wanted = scaling.value(run_integers(network, images)).numpy()
    found = logits_of(tmp_path / "net", images / 255.0)
    assert np.abs(found - wanted).max() <= 4 * scaling.scale


@pytest.mark.parametrize("name", ["onnx", "int8"])
def test_the_readme_runs_without_flyweight(tmp_path: Path, name: str) -> None:
    """In a fresh process the README's snippet gives logits, and imports nothing of flyweight."""
    trained = network_of(Architecture.parse(["conv3 4 relu", "gap", "linear 3"], (2, 9, 7)))
    write_formats(trained, tmp_path / "net", [name])
    snippet = (tmp_path / "net" / "README.md").read_text().split("```")[1].removeprefix("python")
    script = (
        f"{snippet}\nassert logits.shape == (1, 3)\nimport sys\n"
        "assert not {'space', 'trainer', 'search', 'torch'} & {*sys.modules}"
    )
    command = [sys.executable, "-I", "-c", script]
    done = subprocess.run(
        command, cwd=tmp_path / "net", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_what_onnxruntime_refuses_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that onnxruntime cannot load is one line, and nothing is written."""

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("no such operator\nand a stack")

    monkeypatch.setattr(onnxruntime, "InferenceSession", refuse)
    trained = network_of(Architecture.parse(["gap", "linear 3"]))
    with pytest.raises(ExportError, match=r"cannot compute this network \(no such operator\)"):
        write_formats(trained, tmp_path / "net", ["onnx"])
    assert not (tmp_path / "net").exists()

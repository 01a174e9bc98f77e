from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from PIL import Image

from search.deployed.floating import run_floats
from search.deployed.folding import fold
from search.deployed.integer import run_integers
from search.deployed.quantise import quantise
from search.errors import ExportError
from search.export.checks import rounding_of
from search.export.formats import write_formats
from space.architecture import Architecture
from space.network import build_with
from tests.search.export.apart import run_without_flyweight
from tests.search.export.c.test_sources import EVERY_ACTIVATION, network_of, pixels_of
from tests.space.strategies import BLOCKS, architectures
from trainer.batches import normalise
from trainer.data import Reading
from trainer.data.folder import read_image

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
    near = max(1e-4 * size, 10 * rounding_of(trained.folded(), images, wanted))
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
    """Where nothing of flyweight can be imported, nor torch, the README's snippet gives logits.

    The same session gives those of the network, of int8 to a few steps of its reference.
    """
    architecture = Architecture.parse(["conv3 4 relu", "gap", "linear 3"], (2, 9, 7))
    trained, out = network_of(architecture), tmp_path / "net"
    write_formats(trained, out, [name])
    pixels = pixels_of(architecture, 20)
    np.save(tmp_path / "images.npy", (pixels / 255.0).numpy())
    script = f"""
sys.modules["torch"] = None
{(out / "README.md").read_text().split("```")[1].removeprefix("python")}
assert logits.shape == (1, 3)
(logits,) = session.run(None, {{"images": np.load("../images.npy")}})
np.save("../logits.npy", logits)
"""
    run_without_flyweight(script, out)
    folded = fold(architecture, trained.weights, trained.normalisation)
    if name == "int8":
        network = quantise(folded, trained.calibration_images())
        scaling = network.scalings[network.deployed.logits]
        wanted, near = scaling.value(run_integers(network, pixels)), 4 * scaling.scale
    else:
        wanted, near = run_floats(folded, pixels / 255.0), 1e-5
    assert np.abs(np.load(tmp_path / "logits.npy") - wanted.numpy()).max() <= near


def test_the_readme_reads_a_picture_as_the_study_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second snippet makes of a picture what the study does: the input of the first one."""
    architecture = Architecture.parse(["conv3 4 relu", "gap", "linear 3"], (3, 9, 7))
    write_formats(network_of(architecture), tmp_path / "net", ["onnx"])
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "some.png")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    *_, second = re.findall(
        r"```python\n(.*?)```", (tmp_path / "net" / "README.md").read_text(), re.S
    )
    exec(second, names)
    wanted, _ = read_image(tmp_path / "some.png", architecture.input_shape, Reading())
    np.testing.assert_array_equal(names["images"], np.asarray(wanted)[None] / np.float32(255))
    assert logits_of(tmp_path / "net", torch.from_numpy(names["images"])).shape == (1, 3)


def test_what_onnxruntime_refuses_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that onnxruntime cannot load is one line, and nothing is written."""

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("no such operator\nand a stack")

    monkeypatch.setattr(onnxruntime, "InferenceSession", refuse)
    trained = network_of(Architecture.parse(["gap", "linear 3"]))
    with pytest.raises(ExportError, match=r"cannot compute this network \(no such operator\)"):
        write_formats(trained, tmp_path / "net", ["onnx"])
    assert not (tmp_path / "net").exists()

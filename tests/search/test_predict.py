from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from search.cli.app import app
from search.errors import InputError
from search.export.formats import write_formats
from search.predict import predict, prediction_text
from space.architecture import Architecture
from space.network import build_with
from tests.search.export.c.test_sources import network_of
from trainer.batches import normalise
from trainer.errors import DataError

RGB = Architecture.parse(["conv3 4 relu", "gap", "linear 3"], (3, 9, 7))


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    """Three pictures of noise, the last of another size."""
    random = np.random.default_rng(0)
    paths = []
    for number, size in enumerate(((9, 7), (9, 7), (18, 14))):
        path = tmp_path / f"{number}.png"
        Image.fromarray(random.integers(0, 256, (*size, 3), dtype=np.uint8)).save(path)
        paths.append(path)
    return paths


@pytest.mark.parametrize("name", ["torch", "onnx", "int8"])
def test_predictions_are_those_of_the_network(
    tmp_path: Path, images: list[Path], name: str
) -> None:
    """Each format gives the shares of the trained network, and says what it had to stretch."""
    if name != "torch":
        pytest.importorskip("onnxruntime", reason="pip install 'flyweight[onnx]'")
        pytest.importorskip("onnx", reason="pip install 'flyweight[onnx]'")
    trained = network_of(RGB)
    write_formats(trained, tmp_path / "net", [name])
    found = predict(tmp_path / "net", images)
    pixels = torch.stack(
        [torch.from_numpy(np.array(Image.open(path))).permute(2, 0, 1) for path in images[:2]]
    )
    network = build_with(RGB, trained.weights)
    with torch.inference_mode():
        wanted = network(normalise(pixels / 255.0, trained.normalisation)).softmax(1)
    for prediction, shares in zip(found, wanted, strict=False):
        assert list(prediction.probabilities) == list(trained.class_names)
        given = torch.tensor(list(prediction.probabilities.values()))
        torch.testing.assert_close(given, shares, atol=1e-5 if name != "int8" else 0.02, rtol=0.0)
        assert prediction.probability == max(prediction.probabilities.values())
    assert [each.stretched for each in found] == [False, False, True]
    text = prediction_text(found, top=2).splitlines()
    assert text[0].startswith(f"{images[0]}  {found[0].name} ")
    assert text[2].endswith("(stretched to the network's size)")


def test_the_command(tmp_path: Path, images: list[Path]) -> None:
    """The command prints a line for each image, or JSON."""
    write_formats(network_of(RGB), tmp_path / "net", ["torch"])
    command = ["predict", str(tmp_path / "net"), *map(str, images)]
    plain = CliRunner().invoke(app, command)
    assert len(plain.stdout.splitlines()) == 3
    found = json.loads(CliRunner().invoke(app, [*command, "--json"]).stdout)
    assert [each["path"] for each in found] == list(map(str, images))
    assert sum(found[0]["probabilities"].values()) == pytest.approx(1.0)


def test_nothing_of_the_folder_is_run(tmp_path: Path, images: list[Path]) -> None:
    """A folder's own source is not imported, whatever it says."""
    write_formats(network_of(RGB), tmp_path / "net", ["torch"])
    (tmp_path / "net" / "network.py").write_text("raise SystemExit(3)")
    (tmp_path / "net" / "__init__.py").write_text("raise SystemExit(3)")
    assert len(predict(tmp_path / "net", images)) == 3


def test_what_cannot_be_used_is_said(tmp_path: Path, images: list[Path]) -> None:
    """A wrong folder, a wrong kind, spoilt weights and a wrong file are one line each."""
    write_formats(network_of(RGB), tmp_path / "net", ["torch"])
    write_formats(network_of(RGB), tmp_path / "source", ["c"])
    with pytest.raises(InputError, match="is not an exported network"):
        predict(tmp_path, images)
    with pytest.raises(InputError, match="kind flyweight-c, which does not run here"):
        predict(tmp_path / "source", images)
    with pytest.raises(DataError, match="is not a file"):
        predict(tmp_path / "net", [tmp_path / "none.png"])
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(DataError, match=r"text\.png"):
        predict(tmp_path / "net", [tmp_path / "text.png"])
    described = tmp_path / "net" / "architecture.json"
    whole = described.read_text()
    for spoilt in ('"classes"', '"architecture"'):
        described.write_text(whole.replace(spoilt, '"else"', 1))
        with pytest.raises(InputError, match=r"architecture\.json is damaged"):
            predict(tmp_path / "net", images)
    described.write_text(whole)
    (tmp_path / "net" / "weights.safetensors").write_bytes(b"spoilt")
    with pytest.raises(InputError, match="does not hold the weights"):
        predict(tmp_path / "net", images)


@pytest.mark.parametrize("name", ["torch", "onnx"])
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (lambda known: known["classes"].pop(), "is damaged"),
        (lambda known: known.update(classes=["same"] * 3), "is damaged"),
        (lambda known: known.update(classes="abc"), "is damaged"),
        (lambda known: known.update(reading={"rules": 3, "scale": [1]}), "is damaged"),
        (lambda known: known.update(reading=[]), "is damaged"),
        (lambda known: known.update(reading={"rules": 3, "background": "no"}), "is damaged"),
        (lambda known: known["architecture"].update(layers=["conv3 4"]), "is damaged"),
        (lambda known: known["architecture"].update(input=[1, 9, 7]), "does not"),
        (
            lambda known: known["architecture"].update(input=[3, 65536, 65536]),
            "the maps of .* need",
        ),
    ],
)
def test_descriptions_that_do_not_fit_are_said(
    tmp_path: Path,
    images: list[Path],
    name: str,
    changed: Callable[[dict[str, Any]], object],
    said: str,
) -> None:
    """A description of another network than the folder's is one line, and takes no memory."""
    if name != "torch":
        pytest.importorskip("onnxruntime", reason="pip install 'flyweight[onnx]'")
        pytest.importorskip("onnx", reason="pip install 'flyweight[onnx]'")
    write_formats(network_of(RGB), tmp_path / "net", [name])
    described = tmp_path / "net" / "architecture.json"
    known = json.loads(described.read_text())
    changed(known)
    described.write_text(json.dumps(known))
    with pytest.raises((InputError, DataError), match=said):
        predict(tmp_path / "net", images)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda weights: weights * float("nan"), "does not give 3 finite logits"),
        (lambda weights: weights.double(), "does not run on images of 3x9x7"),
    ],
)
def test_weights_that_do_not_run_are_said(
    tmp_path: Path, images: list[Path], spoil: Callable[[torch.Tensor], torch.Tensor], said: str
) -> None:
    """Weights of the right shapes that give no logits are one line."""
    write_formats(network_of(RGB), tmp_path / "net", ["torch"])
    file = tmp_path / "net" / "weights.safetensors"
    save_file({key: spoil(value) for key, value in load_file(file).items()}, file)
    with pytest.raises(InputError, match=said):
        predict(tmp_path / "net", images)


def test_names_of_classes_do_not_drive_the_terminal(tmp_path: Path) -> None:
    """A class and a file are one line of plain characters, whatever they are called."""
    names = ("a\x1b[31m", "b\nb", "c")
    write_formats(replace(network_of(RGB), class_names=names), tmp_path / "net", ["torch"])
    picture = tmp_path / "p\x1b[31m.png"
    Image.new("RGB", (7, 9)).save(picture)
    text = prediction_text(predict(tmp_path / "net", [picture]), top=3)
    assert text.isprintable()
    assert r"a\x1b[31m" in text
    assert r"b\nb" in text

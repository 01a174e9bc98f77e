from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from search.data.text import found_lines
from search.export.command import export
from search.spec.study_file import StudyFile
from search.workers.data import inspect_data
from space.network import build
from space.search_space import SearchSpace
from tests.search.small_studies import begun, search_here, template, url_in, write_study
from tests.space.drawn_spaces import RandomTrial
from trainer.backends.choose import Backend, prepare_backend

SHAPE = (1, 40, 98)
"""A second of speech as its spectrogram is fed to keyword spotters."""

SPACE = template("conv5 {a} stride2 relu bn", "maxpool2", "gap", "linear 2", a="[2, 3]")


def _spectrograms(folder: Path) -> str:
    """A set of forty spectrograms of two words, and ten to test."""
    random = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for part, count in (("train", 40), ("test", 10)):
        labels = np.arange(count) % 2
        images = random.random((count, *SHAPE[1:]), dtype=np.float32) / 2
        images[labels == 1, 20:] += 0.5  # the second word is high
        arrays |= {f"x_{part}": images, f"y_{part}": labels}
    np.savez(folder / "words.npz", **arrays, class_names=np.array(["no", "yes"]))
    return f"npz:{folder / 'words.npz'}"


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_a_study_of_rectangles(tmp_path: Path) -> None:
    """They are searched on the path of all others, and the exported network takes them."""
    dataset = _spectrograms(tmp_path)
    stored = begun(tmp_path, dataset=dataset, space=SPACE, batch_size=8, parameters=500)
    assert stored.data.input_shape == SHAPE
    assert stored.data.classes == ("no", "yes")
    search_here(stored, 1)
    (record,) = stored.records()
    assert record.score is not None
    native = prepare_backend(torch.device("cpu")) == ""
    assert record.attributes["path"] == (Backend.COMPILED if native else Backend.EAGER)
    channels = ((record.parameters or 0) - 2) // 29  # 25 weights, 2 of BatchNorm, 2 of linear
    assert record.attributes["cost"]["macs"] == channels * (18 * 47 * 25 + 2)
    export("tiny", tmp_path / "words", storage=url_in(tmp_path))
    described = json.loads((tmp_path / "words" / "architecture.json").read_text())
    assert described["classes"] == ["no", "yes"]
    assert "(1, 40, 98)" in (tmp_path / "words" / "README.md").read_text()
    stored.storage.engine.dispose()


def test_a_run_begins_with_a_look(tmp_path: Path) -> None:
    """Its first lines have the classes, the shape, the parts, and what is doubtful."""
    file = StudyFile.load(write_study(tmp_path, dataset=_spectrograms(tmp_path), space=SPACE))
    lines = found_lines(inspect_data(file, tmp_path).findings)
    assert lines == [
        f"npz:{tmp_path}/words.npz: 2 classes of 1x40x98, "
        "33 training, 7 validation, 10 test images",
        "warning: 2 classes have fewer than 20 training images: 'no' (16), 'yes' (17)",
    ]


@pytest.mark.parametrize("head", ["conv-gap", "gap-conv", "gap-linear", "gap"])
@pytest.mark.parametrize("shape", [SHAPE, (3, 98, 40)])
def test_spaces_by_stages_take_rectangles(head: str, shape: tuple[int, int, int]) -> None:
    """Whatever is drawn fits together, and gives a logit for each class."""
    section = {"stages": 3, "convs": 2, "width": 4, "padding": ["same", "valid"], "head": head}
    space = SearchSpace.from_section(section, input_shape=shape, classes=2)
    for seed in range(5):
        network = build(space.suggest(RandomTrial(seed)).architecture).eval()
        assert network(torch.zeros(2, *shape)).shape == (2, 2)

from __future__ import annotations

import contextlib
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer.datafiles import failure, files_of, write_cifar, write_idx, write_part
from trainer.data import known_training_images, open_dataset
from trainer.errors import DataError


def test_emnist_stands_upright(tmp_path: Path) -> None:
    """EMNIST's files hold columns as rows; its images come out the right way round."""
    write_part("emnist-digits", tmp_path, "training")
    write_part("mnist", tmp_path, "training")
    emnist, mnist = (open_dataset(name, tmp_path).training() for name in ("emnist-digits", "mnist"))
    assert torch.equal(emnist.pixels, mnist.pixels.transpose(2, 3))


def test_cifar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CIFAR-10 is read in colour from its batches, without a look at the test batch."""
    write_cifar(tmp_path, monkeypatch)
    (tmp_path / "cifar-10-batches-py" / "test_batch").write_bytes(b"not looked at")
    cifar = open_dataset("cifar10", tmp_path)
    assert cifar.info.input_shape == (3, 32, 32)
    assert (len(cifar.info.classes), len(cifar.training())) == (10, 100)
    with pytest.raises(DataError, match="test_batch is damaged"):
        cifar.test()


def test_cifar_batches_are_not_unpickled_unless_genuine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch with another checksum is refused before its pickle can run anything."""
    write_cifar(tmp_path, monkeypatch)

    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "sprung",)

    (tmp_path / "cifar-10-batches-py" / "data_batch_3").write_bytes(pickle.dumps(Trap()))
    assert "data_batch_3 is damaged" in failure("cifar10", tmp_path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("file", files_of("mnist").training)
def test_truncated_files_are_named(tmp_path: Path, file: str) -> None:
    """A file that ends early is an error with its name."""
    write_part("mnist", tmp_path, "training")
    path = tmp_path / "MNIST" / "raw" / file
    path.write_bytes(path.read_bytes()[:-3])
    assert f"{path} is damaged" in failure("mnist", tmp_path)


def test_files_that_do_not_fit_each_other(tmp_path: Path) -> None:
    """Images and labels of different number, size or range are refused."""
    images, labels = (tmp_path / "MNIST" / "raw" / f for f in files_of("mnist").training)
    write_part("mnist", tmp_path, "training")
    write_idx(labels, np.zeros(60, np.uint8))
    assert "120 images, but train-labels-idx1-ubyte has 60 labels" in failure("mnist", tmp_path)
    write_idx(labels, np.full(120, 10, np.uint8))
    assert "label 10, but there are 10 classes" in failure("mnist", tmp_path)
    write_idx(images, np.zeros((120, 27, 28), np.uint8))
    assert "images of 1x28x28, not 1x27x28" in failure("mnist", tmp_path)
    write_idx(images, np.zeros((0, 28, 28), np.uint8))
    write_idx(labels, np.zeros(0, np.uint8))
    assert "damaged" in failure("mnist", tmp_path)


@settings(max_examples=150)
@given(data=st.data())
def test_any_damage_is_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whatever bytes the files hold, reading gives images or a DataError and nothing else."""
    root = tmp_path_factory.getbasetemp() / "damaged-idx"
    write_part("mnist", root, "training", 10)
    path = root / "MNIST" / "raw" / data.draw(st.sampled_from(files_of("mnist").training))
    content = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, 15), max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, 40) | st.just(len(content)))])
    with contextlib.suppress(DataError):
        assert files_of("mnist").read(root, "training").pixels.shape[1:] == (1, 28, 28)


def test_the_number_of_training_images_is_known_beforehand() -> None:
    """What the table says of a set is what its files hold, where they are at hand."""
    assert known_training_images("digits") == len(open_dataset("digits", Path()).training())
    assert known_training_images("folder:somewhere") is None
    root = Path(os.environ.get("FLYWEIGHT_DATA", "data"))
    if (root / "MNIST" / "raw" / "train-images-idx3-ubyte").exists():
        assert known_training_images("mnist") == len(open_dataset("mnist", root).training())

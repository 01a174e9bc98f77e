from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.trainer.datafiles import failure, write_part
from trainer.data import DATASET_NAMES, Dataset, Images, known_shape, normalisation, open_dataset
from trainer.errors import DataError, Diverged

DATA = os.environ.get("FLYWEIGHT_DATA")
needs_mnist = pytest.mark.skipif(DATA is None, reason="FLYWEIGHT_DATA is not set")


def test_digits_need_no_files(tmp_path: Path) -> None:
    """The digits come from scikit-learn, scaled to 0..255, with a stratified fifth as test."""
    digits = open_dataset("digits", tmp_path / "absent")
    training, test = digits.training(), digits.test()
    assert (len(training), len(test)) == (1437, 360)
    assert digits.info.input_shape == (1, 8, 8)
    assert (int(training.pixels.min()), int(training.pixels.max())) == (0, 255)
    shares = test.labels.bincount() / (test.labels.bincount() + training.labels.bincount())
    assert bool(((shares - 0.2).abs() < 0.01).all())
    assert not (tmp_path / "absent").exists()


def test_a_data_set_opens_alike_every_time(tmp_path: Path) -> None:
    """Two openings have the same parts, splits and fingerprint: no seed comes from outside."""
    first, second = (open_dataset("digits", tmp_path) for _ in range(2))
    torch.manual_seed(7)
    np.random.seed(7)
    assert first.info == second.info
    for one, other in zip(first.search_split(), second.search_split(), strict=True):
        assert torch.equal(one.pixels, other.pixels)
    assert torch.equal(first.test().pixels, second.test().pixels)


def test_folds_share_no_image_for_validation(tmp_path: Path) -> None:
    """Six folds validate on six parts that hold every training image once, each stratified."""
    digits = open_dataset("digits", tmp_path)
    whole = digits.training()
    assert digits.folds == 6
    asides = []
    for fold in range(6):
        learn, aside = digits.search_split(fold)
        assert len(learn) + len(aside) == len(whole)
        shares = aside.labels.bincount() / whole.labels.bincount()
        assert bool(((shares - 1 / 6).abs() < 0.03).all())
        pixels = torch.cat([learn.pixels, aside.pixels]).flatten(1)
        assert torch.equal(pixels.long().sum(0), whole.pixels.flatten(1).long().sum(0))
        asides.append(aside)
    pixels = torch.cat([aside.pixels for aside in asides]).flatten(1)
    assert torch.equal(pixels.unique(dim=0), whole.pixels.flatten(1).unique(dim=0))
    assert len(pixels) == len(whole)
    with pytest.raises(ValueError, match="fold 6: the data has 6"):
        digits.search_split(6)


@needs_mnist
def test_mnist() -> None:
    """The real MNIST has its known size, mean and deviation, and 10,000 validation images."""
    mnist = open_dataset("mnist", Path(str(DATA)))
    learn, validate = mnist.search_split()
    assert (len(learn), len(validate), len(mnist.test())) == (50_000, 10_000, 10_000)
    scale = normalisation(mnist.training())
    assert scale.mean == pytest.approx([0.1307], abs=5e-5)
    assert scale.std == pytest.approx([0.3081], abs=5e-5)


def test_the_test_part_is_read_when_asked_for(tmp_path: Path) -> None:
    """`test` reads the files as they are at its first call."""
    write_part("mnist", tmp_path, "training")
    write_part("mnist", tmp_path, "test", 10)
    mnist = open_dataset("mnist", tmp_path)
    write_part("mnist", tmp_path, "test", 20)
    assert len(mnist.test()) == 20
    assert mnist.test() is mnist.test()


def test_names_are_checked(tmp_path: Path) -> None:
    """An unknown name is answered with the known ones, and folder options elsewhere refused."""
    assert all(name in failure("mnits", tmp_path) for name in (*DATASET_NAMES, "folder:PATH"))
    assert '"folder:" is not known' in failure("folder:", tmp_path)
    with pytest.raises(DataError, match="digits: image_size is for folder:PATH"):
        open_dataset("digits", tmp_path, image_size=8)


def test_known_shapes_are_true(tmp_path: Path) -> None:
    """What is said of a data set before it is read holds when it is."""
    digits = open_dataset("digits", tmp_path).info
    assert known_shape("digits") == (digits.input_shape, len(digits.classes))
    assert known_shape("cifar10") == ((3, 32, 32), 10)
    assert known_shape("folder:somewhere") is None
    with pytest.raises(DataError, match='dataset: "imagenet" is not known'):
        known_shape("imagenet")


def test_the_fingerprint_sees_every_change() -> None:
    """One pixel, one label or one class name more or less changes the fingerprint."""

    def fingerprint(pixels: torch.Tensor, labels: torch.Tensor, *classes: str) -> str:
        images = Images(pixels, labels)
        return Dataset("any", classes, images, lambda: images).info.fingerprint

    pixels, labels = torch.zeros(4, 1, 2, 2, dtype=torch.uint8), torch.tensor([0, 1, 0, 1])
    other = pixels.clone()
    other[3, 0, 1, 1] = 1
    seen = [
        fingerprint(pixels, labels, "a", "b"),
        fingerprint(other, labels, "a", "b"),
        fingerprint(pixels, labels.flip(0), "a", "b"),
        fingerprint(pixels, labels, "a", "c"),
        fingerprint(pixels.reshape(4, 1, 1, 4), labels, "a", "b"),
    ]
    assert len(set(seen)) == len(seen)
    assert fingerprint(pixels.clone(), labels.clone(), "a", "b") == seen[0]


def test_errors_travel_between_processes() -> None:
    """An error with an attribute survives pickling, so that a worker can hand it on."""
    error = pickle.loads(pickle.dumps(Diverged(3)))
    assert (type(error), error.epoch, str(error)) == (Diverged, 3, str(Diverged(3)))


def test_the_package_is_light() -> None:
    """Importing the package loads no torch, and its data module nothing but torch and numpy."""
    check = (
        "import sys, trainer; assert 'torch' not in sys.modules; trainer.open_dataset;"
        "heavy = {'optuna', 'torchvision', 'sklearn', 'PIL', 'space', 'search'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules);"
        "assert all(hasattr(trainer, name) for name in trainer.__all__)"
    )
    subprocess.run([sys.executable, "-c", check], check=True, timeout=60)

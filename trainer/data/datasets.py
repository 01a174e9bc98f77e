"""The named data sets: what they look like, where their files lie, how these are read.

The files are those that torchvision downloads, in the folders that it gives them. They are read
here part by part, because torchvision's own classes look at the test files even for training.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from trainer.data.images import Images
from trainer.errors import DataError

__all__ = ["SOURCES", "Part", "Source", "read_digits", "read_part"]

Part = Literal["training", "test"]

_DIGITS = tuple("0123456789")
_FASHION = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
_KUZUSHIJI = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
_CIFAR = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)


@dataclass(frozen=True)
class Source:
    """Where torchvision keeps one data set.

    Attributes:
        reader: The name of its class in `torchvision.datasets`.
        folder: The folder of its files below the data root.
        training: The files of the training part; for idx files, images before labels.
        test: The files of the test part, likewise.
        archives: What torchvision downloads, below the data root; may be gone after unpacking.
        classes: The names of its classes.
        input_shape: Channels, height and width of an image.
        transposed: Whether the files hold rows and columns the wrong way round.
    """

    reader: str
    folder: str
    training: tuple[str, ...]
    test: tuple[str, ...]
    archives: tuple[str, ...]
    classes: tuple[str, ...]
    input_shape: tuple[int, int, int] = (1, 28, 28)
    transposed: bool = False

    def files(self, part: Part) -> tuple[str, ...]:
        """The names of the files of one part."""
        return self.training if part == "training" else self.test


def _idx(stem: str) -> tuple[str, str]:
    return f"{stem}-images-idx3-ubyte", f"{stem}-labels-idx1-ubyte"


def _like_mnist(reader: str, classes: tuple[str, ...]) -> Source:
    training, test, folder = _idx("train"), _idx("t10k"), f"{reader}/raw"
    archives = tuple(f"{folder}/{file}.gz" for file in (*training, *test))
    return Source(reader, folder, training, test, archives, classes)


SOURCES: dict[str, Source] = {
    "mnist": _like_mnist("MNIST", _DIGITS),
    "fashion-mnist": _like_mnist("FashionMNIST", _FASHION),
    "kmnist": _like_mnist("KMNIST", _KUZUSHIJI),
    "emnist-digits": Source(
        reader="EMNIST",
        folder="EMNIST/raw",
        training=_idx("emnist-digits-train"),
        test=_idx("emnist-digits-test"),
        archives=("EMNIST/raw/gzip.zip",),
        classes=_DIGITS,
        transposed=True,
    ),
    "cifar10": Source(
        reader="CIFAR10",
        folder="cifar-10-batches-py",
        training=tuple(f"data_batch_{i}" for i in range(1, 6)),
        test=("test_batch",),
        archives=("cifar-10-python.tar.gz",),
        classes=_CIFAR,
        input_shape=(3, 32, 32),
    ),
}


def read_part(name: str, root: Path, part: Part) -> Images:
    """One part of a data set whose files are below `root`; files of the other part stay shut.

    Raises:
        DataError: A file is missing, damaged, or holds images or labels of another data set.
    """
    source = SOURCES[name]
    folder = root / source.folder
    images = _read_cifar(folder, part) if name == "cifar10" else _read_idx(source, folder, part)
    if images.pixels.shape[1:] != source.input_shape:
        shapes = source.input_shape, images.pixels.shape[1:]
        expected, found = ("x".join(map(str, shape)) for shape in shapes)
        raise DataError(f"{name}: {folder} should hold images of {expected}, found {found}")
    if len(images) and int(images.labels.max()) >= len(source.classes):
        highest, classes = int(images.labels.max()), len(source.classes)
        raise DataError(f"{name}: {folder} has the label {highest}; there are {classes} classes")
    return images


def read_digits() -> tuple[Images, tuple[str, ...]]:
    """The 1,797 digits of 8x8 pixels inside scikit-learn, and the names of their classes."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    pixels = np.rint(bunch.images * (255 / 16)).astype(np.uint8)  # they come as 0 to 16
    labels = torch.from_numpy(bunch.target.astype(np.int64))
    return Images(torch.from_numpy(pixels).unsqueeze(1), labels), _DIGITS


def _read_idx(source: Source, folder: Path, part: Part) -> Images:
    from torchvision.datasets.mnist import read_image_file, read_label_file

    tensors = []
    for file, read in zip(source.files(part), (read_image_file, read_label_file), strict=True):
        try:
            tensors.append(read(str(folder / file)))
        except FileNotFoundError as error:
            raise DataError(f"{folder / file} is missing; pass the right --data") from error
        except (OSError, ValueError, TypeError, RuntimeError, AssertionError, KeyError) as error:
            raise _damaged(folder / file, error) from error
    pixels, labels = tensors
    if len(pixels) != len(labels):
        images, names = source.files(part)
        raise DataError(
            f"{folder / images} holds {len(pixels)} images and {names} {len(labels)} labels; "
            "delete both to have them downloaded again"
        )
    if source.transposed:
        pixels = pixels.transpose(1, 2).contiguous()
    return Images(pixels.unsqueeze(1), labels)


def _read_cifar(folder: Path, part: Part) -> Images:
    from torchvision.datasets import CIFAR10
    from torchvision.datasets.utils import check_integrity

    pixels, labels = [], []
    for file, checksum in CIFAR10.train_list if part == "training" else CIFAR10.test_list:
        path = folder / file
        if not path.is_file():
            raise DataError(f"{path} is missing; pass the right --data")
        if not check_integrity(path, checksum):  # before unpickling, which runs what it is given
            raise _damaged(path, f"its MD5 sum is not {checksum}")
        with path.open("rb") as stream:
            batch = pickle.load(stream, encoding="latin1")
        pixels.append(torch.from_numpy(batch["data"]).reshape(-1, 3, 32, 32))
        labels.append(torch.tensor(batch["labels"], dtype=torch.int64))
    return Images(torch.cat(pixels), torch.cat(labels))


def _damaged(path: Path, reason: object) -> DataError:
    text = " ".join(str(reason).split()) or type(reason).__name__
    return DataError(f"{path} is damaged ({text}); delete it to have it downloaded again")

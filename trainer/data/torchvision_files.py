"""Data sets whose files torchvision downloads: where they lie and how they are read.

The files are those that torchvision downloads, in the folders that it gives them. They are read
here part by part, because torchvision's own classes look at the test files even for training.
"""

from __future__ import annotations

import pickle
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path

import torch

from trainer.data.download import ensure_available
from trainer.data.entry import NamedDataset, Part, Shape
from trainer.data.images import Images
from trainer.errors import DataError
from trainer.words import plural

__all__ = ["Cifar10", "IdxFiles", "TorchvisionFiles", "idx_pair", "mnist_files"]

# What torchvision's readers raise for damaged idx files.
_FAILURES = (OSError, ValueError, TypeError, RuntimeError, AssertionError, KeyError)


@dataclass(frozen=True, kw_only=True)
class TorchvisionFiles(NamedDataset):
    """A data set in the files that a class of torchvision downloads.

    Attributes:
        reader: the name of the class in `torchvision.datasets`.
        folder: the folder of its files below the data root.
        training: the files of the training part; for idx files, images before labels.
        test: the files of the test part, likewise.
        archives: what torchvision downloads, below the data root; may be deleted after unpacking.
        split: the argument `split` of the class; None if it has no such argument.
    """

    reader: str
    folder: str
    training: tuple[str, ...]
    test: tuple[str, ...]
    archives: tuple[str, ...]
    split: str | None = None

    def files(self, part: Part) -> tuple[str, ...]:
        """Return the names of the files of one part."""
        return self.training if part == "training" else self.test

    def make_available(self, root: Path, part: Part) -> None:
        """Download all files unless those of the part are there."""
        ensure_available(self, root, self.files(part))

    def read(self, root: Path, part: Part) -> Images:
        """Read one part.

        Raises:
            DataError: if a file is missing, damaged, or holds images or labels of another data
                set.
        """
        folder = root / self.folder
        images = self._read(folder, part)
        if images.shape != self.input_shape:
            shapes = self.input_shape, images.shape
            expected, found = ("x".join(map(str, shape)) for shape in shapes)
            raise DataError(
                f"{self.name}: {folder} should hold images of {expected}, not {found}; "
                "delete its files to have them downloaded again"
            )
        highest, classes = int(images.labels.max()) if len(images) else 0, len(self.classes)
        if highest >= classes:
            raise DataError(
                f"{self.name}: {folder} has the label {highest}, but there are {classes} classes; "
                "delete its files to have them downloaded again"
            )
        return images

    @abstractmethod
    def _read(self, folder: Path, part: Part) -> Images:
        """Read the files of one part as they are."""

    def image_lines(self, shape: Shape) -> list[str]:
        """Return statements that read the first test image by torchvision's own class."""
        split = "" if self.split is None else f'split="{self.split}", '
        return [
            "import torch",
            f"from torchvision.datasets import {self.reader}",
            "from torchvision.transforms.functional import to_tensor",
            "",
            f'root = "data"  # the folder that has, or is to have, {self.folder}',
            f"images = {self.reader}(root, {split}train=False, download=True)",
            "image = to_tensor(images[0][0])",
        ]


@dataclass(frozen=True, kw_only=True)
class IdxFiles(TorchvisionFiles):
    """A data set in the idx files that MNIST comes in, one of images and one of labels for a part.

    Attributes:
        transposed: whether the files have rows and columns exchanged.
    """

    transposed: bool = False

    def image_lines(self, shape: Shape) -> list[str]:
        """Return statements that read the first test image, upright."""
        # Torchvision leaves transposed images as they lie in the files.
        upright = ["image = image.transpose(1, 2)  # upright"] if self.transposed else []
        return [*super().image_lines(shape), *upright]

    def _read(self, folder: Path, part: Part) -> Images:
        from torchvision.datasets.mnist import read_image_file, read_label_file

        tensors = []
        for file, read in zip(self.files(part), (read_image_file, read_label_file), strict=True):
            try:
                tensors.append(read(str(folder / file)))
            except FileNotFoundError as error:
                raise _missing(folder / file) from error
            except _FAILURES as error:
                raise _damaged(folder / file, error) from error
        pixels, labels = tensors
        if len(pixels) != len(labels):
            images, names = self.files(part)
            raise DataError(
                f"{folder / images} has {plural(len(pixels), 'image')}, but {names} has "
                f"{plural(len(labels), 'label')}; delete both to have them downloaded again"
            )
        if self.transposed:
            pixels = pixels.transpose(1, 2).contiguous()
        return Images(pixels.unsqueeze(1), labels)


@dataclass(frozen=True, kw_only=True)
class Cifar10(TorchvisionFiles):
    """CIFAR-10 in its pickled batches."""

    def _read(self, folder: Path, part: Part) -> Images:
        from torchvision.datasets import CIFAR10
        from torchvision.datasets.utils import check_integrity

        pixels, labels = [], []
        for file, checksum in CIFAR10.train_list if part == "training" else CIFAR10.test_list:
            path = folder / file
            if not path.is_file():
                raise _missing(path)
            # Checked before unpickling, which runs any code in the file.
            if not check_integrity(path, checksum):
                raise _damaged(path, f"its MD5 sum is not {checksum}")
            with path.open("rb") as stream:
                batch = pickle.load(stream, encoding="latin1")
            pixels.append(torch.from_numpy(batch["data"]).reshape(-1, 3, 32, 32))
            labels.append(torch.tensor(batch["labels"], dtype=torch.int64))
        return Images(torch.cat(pixels), torch.cat(labels))


def idx_pair(stem: str) -> tuple[str, str]:
    """Return the names of the idx files of a part: images, then labels."""
    return f"{stem}-images-idx3-ubyte", f"{stem}-labels-idx1-ubyte"


def mnist_files(name: str, *, reader: str, classes: tuple[str, ...]) -> IdxFiles:
    """Return the entry of a data set that comes in files named as MNIST's, of 28x28 grey pixels."""
    training, test, folder = idx_pair("train"), idx_pair("t10k"), f"{reader}/raw"
    return IdxFiles(
        name=name,
        classes=classes,
        input_shape=(1, 28, 28),
        training_images=60_000,
        reader=reader,
        folder=folder,
        training=training,
        test=test,
        archives=tuple(f"{folder}/{file}.gz" for file in (*training, *test)),
    )


def _missing(path: Path) -> DataError:
    return DataError(f"{path} is missing; give the folder that has it with --data")


def _damaged(path: Path, reason: object) -> DataError:
    text = " ".join(str(reason).split()) or type(reason).__name__
    return DataError(f"{path} is damaged ({text}); delete it to have it downloaded again")

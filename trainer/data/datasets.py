"""The data sets that a study can name, and a way to open one by its name.

A data set is one entry of :data:`DATASETS`, or of :data:`PATH_DATASETS` where the user gives a
path; whatever lists, checks, opens or describes data sets reads these tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch

from trainer.data.arrays import ArrayFiles
from trainer.data.dataset import Dataset
from trainer.data.entry import NamedDataset, Part, PathDataset, Shape
from trainer.data.image_folders import ImageFolders
from trainer.data.images import Images
from trainer.data.reading import BACKGROUND, RULES, Progress, ReadOptions, no_progress
from trainer.data.splits import TEST_PARTS, stratified_split
from trainer.data.torchvision_files import Cifar10, IdxFiles, idx_pair, mnist_files
from trainer.errors import DataError
from trainer.ranges import did_you_mean, show

__all__ = [
    "DATASETS",
    "DATASET_FORMS",
    "DATASET_NAMES",
    "PATH_DATASETS",
    "find_dataset",
    "known_shape",
    "known_training_images",
    "open_dataset",
    "path_of",
]

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


@dataclass(frozen=True, kw_only=True)
class _Digits(NamedDataset):
    """The 1,797 digits inside scikit-learn, of which a stratified fifth is the test part."""

    def read(self, root: Path, part: Part) -> Images:
        """Read one part; no files are needed."""
        from sklearn.datasets import load_digits

        bunch = load_digits()
        pixels = np.rint(bunch.images * (255 / 16)).astype(np.uint8)  # they come as 0 to 16
        labels = torch.from_numpy(bunch.target.astype(np.int64))
        images = Images(torch.from_numpy(pixels).unsqueeze(1), labels)
        keep, aside = stratified_split(labels, TEST_PARTS, self.classes)
        return images.subset(keep if part == "training" else aside)

    def image_lines(self, shape: Shape) -> list[str]:
        """Return statements that read a digit."""
        return [
            "import torch",
            "from sklearn.datasets import load_digits",
            "",
            "image = torch.tensor(load_digits().images[:1]).float() / 16  # they come as 0 to 16",
        ]


_NAMED: tuple[NamedDataset, ...] = (
    _Digits(name="digits", classes=_DIGITS, input_shape=(1, 8, 8), training_images=1_437),
    mnist_files("mnist", reader="MNIST", classes=_DIGITS),
    mnist_files("fashion-mnist", reader="FashionMNIST", classes=_FASHION),
    mnist_files("kmnist", reader="KMNIST", classes=_KUZUSHIJI),
    IdxFiles(
        name="emnist-digits",
        classes=_DIGITS,
        input_shape=(1, 28, 28),
        training_images=240_000,
        reader="EMNIST",
        split="digits",
        folder="EMNIST/raw",
        training=idx_pair("emnist-digits-train"),
        test=idx_pair("emnist-digits-test"),
        archives=("EMNIST/raw/gzip.zip",),
        transposed=True,
    ),
    Cifar10(
        name="cifar10",
        classes=_CIFAR,
        input_shape=(3, 32, 32),
        training_images=50_000,
        reader="CIFAR10",
        folder="cifar-10-batches-py",
        training=tuple(f"data_batch_{i}" for i in range(1, 6)),
        test=("test_batch",),
        archives=("cifar-10-python.tar.gz",),
    ),
)
_WITH_PATH: tuple[PathDataset, ...] = (ImageFolders(), ArrayFiles())

DATASETS: Mapping[str, NamedDataset] = MappingProxyType({entry.name: entry for entry in _NAMED})
"""Every data set that has a name, by that name."""

PATH_DATASETS: Mapping[str, PathDataset] = MappingProxyType(
    {entry.prefix: entry for entry in _WITH_PATH}
)
"""Every kind of data set that lies at a path of the user's, by its prefix."""

DATASET_NAMES = tuple(DATASETS)
"""The names of the data sets that have one."""

DATASET_FORMS = (*DATASET_NAMES, *(f"{prefix}:PATH" for prefix in PATH_DATASETS))
"""Every form of the name of a data set, for messages."""


def open_dataset(
    name: str,
    root: str | Path = "data",
    *,
    image_size: int | None = None,
    colour: bool | None = None,
    background: str = BACKGROUND,
    skip_broken: bool = False,
    rules: int = RULES,
    progress: Progress = no_progress,
) -> Dataset:
    """Read the training part of a data set, downloading it if it is missing.

    Args:
        name: one of `DATASET_NAMES`, `folder:PATH` or `npz:PATH` (a relative PATH is taken from
            the working directory).
        root: the folder of the downloaded data sets; `digits` and sets with a PATH do not use it.
        image_size: the side in pixels to which the images of a folder are resized; without it
            they must all have one size. Only for `folder:PATH`, as what follows.
        colour: whether the images of a folder are read in colour; None decides by the files.
        background: what lies behind transparent pixels: `white`, `black` or `#rrggbb`.
        skip_broken: whether files that cannot be read are left out instead of refused.
        rules: the version of the rules of reading, 1 or 2; see docs/data.md.
        progress: is called with the number of files that are read and that of all.

    Returns:
        The data set, with its training part in memory.

    Raises:
        DataError: if the name is unknown, or the data is missing, damaged or unusable.
    """
    entry = find_dataset(name)
    options = ReadOptions(
        image_size=image_size,
        colour=colour,
        background=background,
        skip_broken=skip_broken,
        rules=rules,
    )
    if isinstance(entry, PathDataset):
        return entry.open(name, path_of(name), options, progress)
    if given := options.given():
        are, them = ("is", "it") if len(given) == 1 else ("are", "them")
        raise DataError(f"{name}: {' and '.join(given)} {are} for folder:PATH only; remove {them}")
    return entry.open(Path(root))


def path_of(name: str) -> Path:
    """Return the path in the name of a data set such as `folder:PATH`."""
    return Path(name.partition(":")[2])


def known_shape(name: str) -> tuple[Shape, int] | None:
    """Return the input shape and the number of classes of a data set, without reading it.

    Returns:
        (channels, height, width) and the number of classes; None for a set with a path, which has
        to be opened to know them.

    Raises:
        DataError: if the name is unknown.
    """
    entry = find_dataset(name)
    return None if isinstance(entry, PathDataset) else (entry.input_shape, len(entry.classes))


def known_training_images(name: str) -> int | None:
    """Return the number of training images of a data set, without reading it; None if unknown.

    Raises:
        DataError: if the name is not known.
    """
    entry = find_dataset(name)
    return None if isinstance(entry, PathDataset) else entry.training_images


def find_dataset(name: str) -> NamedDataset | PathDataset:
    """Return the entry of a data set.

    Args:
        name: as for :func:`open_dataset`.

    Raises:
        DataError: if the name is unknown.
    """
    prefix, _, path = name.partition(":")
    if prefix in PATH_DATASETS and path:
        return PATH_DATASETS[prefix]
    if name in DATASETS:
        return DATASETS[name]
    hint = did_you_mean(name, DATASET_NAMES)
    raise DataError(
        f"dataset: {show(name)} is not known{hint}; give one of {', '.join(DATASET_FORMS)}"
    )

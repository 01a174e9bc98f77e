"""From the name of a data set to its images, in the parts that a study may look at."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.data.datasets import SOURCES, read_digits, read_part
from trainer.data.images import Images
from trainer.data.splits import TEST_PARTS, VALIDATION_PARTS, stratified_split
from trainer.errors import DataError

__all__ = ["DATASET_NAMES", "DataInfo", "Dataset", "known_shape", "open_dataset"]

DATASET_NAMES = ("digits", *SOURCES)
"""The named data sets; `folder:PATH` is one more."""


@dataclass(frozen=True)
class DataInfo:
    """What a data set is.

    Attributes:
        name: The name that it was opened by.
        input_shape: Channels, height and width of each image.
        classes: The name of each class, in the order of their labels.
        fingerprint: A short hash of the training part (shape, classes, labels, pixels): two
            studies with the same one learned from the same data.
    """

    name: str
    input_shape: tuple[int, int, int]
    classes: tuple[str, ...]
    fingerprint: str


class Dataset:
    """A data set whose training part is in memory and whose test part is not read until asked.

    Args:
        name: The name that it was opened by.
        classes: The name of each class, in the order of their labels.
        training: The training part.
        read_test: Reads the test part; called at most once, by `test`.
    """

    def __init__(
        self,
        name: str,
        classes: Sequence[str],
        training: Images,
        read_test: Callable[[], Images],
    ) -> None:
        channels, height, width = training.pixels.shape[1:]
        self.info = DataInfo(
            name=name,
            input_shape=(channels, height, width),
            classes=tuple(classes),
            fingerprint=_fingerprint(training, classes),
        )
        self._training = training
        self._read_test = read_test
        self._test: Images | None = None

    def training(self) -> Images:
        """All of the training part."""
        return self._training

    def test(self) -> Images:
        """The test part, read when first asked for: a search never does.

        Raises:
            DataError: Its files are missing or damaged.
        """
        if self._test is None:
            self._test = self._read_test()
        return self._test

    def search_split(self) -> tuple[Images, Images]:
        """What a search may see: five sixths of the training part to learn from, one to score.

        The split is stratified and always the same.

        Raises:
            DataError: A class has fewer than six training images.
        """
        labels = self._training.labels
        learn, validate = stratified_split(labels, VALIDATION_PARTS, self.info.classes)
        return self._training.subset(learn), self._training.subset(validate)


def open_dataset(
    name: str, root: Path, *, image_size: int | None = None, colour: bool | None = None
) -> Dataset:
    """Read the training part of a data set, downloading it when it is not there.

    Args:
        name: One of `DATASET_NAMES`, or `folder:PATH` (a relative PATH is taken from the
            working directory).
        root: The folder of the downloaded data sets; neither `digits` nor `folder:PATH` uses it.
        image_size: The side in pixels to which the images of a folder are resized; without it
            they must all have one size. Only for `folder:PATH`.
        colour: Whether the images of a folder are read in colour; found out when None. Only for
            `folder:PATH`.

    Raises:
        DataError: The name is unknown, or the data is missing, damaged or unusable.
    """
    kind, _, path = name.partition(":")
    if kind == "folder" and path:
        from trainer.data.folder import open_folder

        folder = open_folder(Path(path), image_size=image_size, colour=colour)
        return Dataset(name, folder.classes, folder.training, folder.read_test)
    if name not in DATASET_NAMES:
        raise _unknown(name)
    if image_size is not None or colour is not None:
        raise DataError(f"{name}: image_size and colour are for folder:PATH only; remove them")
    return _open_digits() if name == "digits" else _open_named(name, root)


def known_shape(name: str) -> tuple[tuple[int, int, int], int] | None:
    """The input shape and the number of classes of `name`, where they are known without its files.

    None for `folder:PATH`, which has to be opened.

    Raises:
        DataError: The name is unknown.
    """
    if name.startswith("folder:") and name != "folder:":
        return None
    if name not in DATASET_NAMES:
        raise _unknown(name)
    if name == "digits":
        return (1, 8, 8), 10
    return SOURCES[name].input_shape, len(SOURCES[name].classes)


def _unknown(name: str) -> DataError:
    names = ", ".join(DATASET_NAMES)
    return DataError(f"unknown data set {name!r}: choose {names} or folder:PATH")


def _open_digits() -> Dataset:
    images, classes = read_digits()
    keep, aside = stratified_split(images.labels, TEST_PARTS, classes)
    return Dataset("digits", classes, images.subset(keep), lambda: images.subset(aside))


def _open_named(name: str, root: Path) -> Dataset:
    from trainer.data.download import ensure_available

    def read_test() -> Images:
        ensure_available(name, root, part="test")
        return read_part(name, root, "test")

    ensure_available(name, root)
    return Dataset(name, SOURCES[name].classes, read_part(name, root, "training"), read_test)


def _fingerprint(images: Images, classes: Sequence[str]) -> str:
    digest = hashlib.sha256(repr((tuple(images.pixels.shape), tuple(classes))).encode())
    digest.update(images.labels.numpy().astype("<i8").tobytes())
    digest.update(images.pixels.contiguous().numpy().data)
    return digest.hexdigest()[:16]

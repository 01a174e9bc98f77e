"""An opened data set, and the parts of it that a study may see."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch

from trainer.data.images import Images
from trainer.data.reading import Reading
from trainer.data.splits import VALIDATION_PARTS, stratified_folds, stratified_split

__all__ = ["DataInfo", "Dataset"]


@dataclass(frozen=True)
class DataInfo:
    """The facts about an opened data set.

    Attributes:
        name: the name that it was opened by.
        input_shape: channels, height and width of each image.
        classes: the name of each class, in the order of their labels.
        fingerprint: a short hash of the training part (shape, classes, labels, pixels, and where
            its validation images begin if they were given): two studies with the same one used the
            same data.
        reading: how files became images.
    """

    name: str
    input_shape: tuple[int, int, int]
    classes: tuple[str, ...]
    fingerprint: str
    reading: Reading = field(default_factory=Reading)


class Dataset:
    """A data set whose training part is in memory and whose test part is not read until asked.

    Args:
        name: the name that it was opened by.
        classes: the name of each class, in the order of their labels.
        training: the training part, on the CPU.
        read_test: reads the test part; called at most once, by `test`.
        reading: how files became images.
        validation_begin: the index in the training part at which the images for validation begin;
            None lets :meth:`search_split` choose them.
    """

    def __init__(
        self,
        name: str,
        classes: Sequence[str],
        training: Images,
        read_test: Callable[[], Images],
        *,
        reading: Reading | None = None,
        validation_begin: int | None = None,
    ) -> None:
        channels, height, width = training.pixels.shape[1:]
        self.info = DataInfo(
            name=name,
            input_shape=(channels, height, width),
            classes=tuple(classes),
            fingerprint=_fingerprint(training, classes, validation_begin),
            reading=reading or Reading(),
        )
        self._validation_begin = validation_begin
        self._training = training
        self._read_test = read_test
        self._test: Images | None = None

    def training(self) -> Images:
        """Return the whole training part, that for validation included."""
        return self._training

    def test(self) -> Images:
        """Return the test part; it is read on the first call, which a search never makes.

        Raises:
            DataError: if its files are missing or damaged.
        """
        if self._test is None:
            self._test = self._read_test()
        return self._test

    @property
    def folds(self) -> int:
        """Return how many ways there are to split the training part, see :meth:`search_split`."""
        return VALIDATION_PARTS if self._validation_begin is None else 1

    def search_split(self, fold: int = 0) -> tuple[Images, Images]:
        """Return the two parts of the training part that a search may see.

        Where the data has a validation part that is it, and the rest is for training. Else five
        sixths are for training, one sixth is for validation. The splits are stratified and always
        the same, and no image is for validation in two of them.

        Args:
            fold: which split, from 0 to :attr:`folds` - 1.

        Returns:
            The training images and the validation images.

        Raises:
            ValueError: if there is no such fold.
            DataError: if a class has fewer than six training images.
        """
        if not 0 <= fold < self.folds:
            raise ValueError(f"fold {fold}: the data has {self.folds}, numbered from 0")
        if (begin := self._validation_begin) is not None:
            whole = self._training
            return (
                Images(whole.pixels[:begin], whole.labels[:begin]),
                Images(whole.pixels[begin:], whole.labels[begin:]),
            )
        labels, classes = self._training.labels, self.info.classes
        keep, aside = stratified_split(labels, VALIDATION_PARTS, classes)
        if fold:
            others = stratified_folds(labels[keep], VALIDATION_PARTS - 1, fold - 1, classes)
            chosen = torch.ones(len(labels), dtype=torch.bool)
            aside = keep[others]
            chosen[aside] = False
            keep = chosen.nonzero().flatten()
        return self._training.subset(keep), self._training.subset(aside)


def _fingerprint(images: Images, classes: Sequence[str], validation_begin: int | None) -> str:
    digest = hashlib.sha256(repr((tuple(images.pixels.shape), tuple(classes))).encode())
    if validation_begin is not None:
        digest.update(repr(validation_begin).encode())
    digest.update(images.labels.numpy().astype("<i8").tobytes())
    digest.update(images.pixels.contiguous().numpy().data)
    return digest.hexdigest()[:16]

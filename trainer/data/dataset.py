"""An opened data set, and the parts of it that a study may see."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from trainer.data.images import Images
from trainer.data.reading import Reading
from trainer.data.splits import VALIDATION_PARTS, stratified_split

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

    def search_split(self) -> tuple[Images, Images]:
        """Return the two parts of the training part that a search may see.

        Where the data has a validation part that is it, and the rest is for training. Else five
        sixths are for training, one sixth is for validation. The split is stratified and always
        the same.

        Returns:
            The training images and the validation images.

        Raises:
            DataError: if a class has fewer than six training images.
        """
        if (begin := self._validation_begin) is not None:
            whole = self._training
            return (
                Images(whole.pixels[:begin], whole.labels[:begin]),
                Images(whole.pixels[begin:], whole.labels[begin:]),
            )
        labels = self._training.labels
        keep, aside = stratified_split(labels, VALIDATION_PARTS, self.info.classes)
        return self._training.subset(keep), self._training.subset(aside)


def _fingerprint(images: Images, classes: Sequence[str], validation_begin: int | None) -> str:
    digest = hashlib.sha256(repr((tuple(images.pixels.shape), tuple(classes))).encode())
    if validation_begin is not None:
        digest.update(repr(validation_begin).encode())
    digest.update(images.labels.numpy().astype("<i8").tobytes())
    digest.update(images.pixels.contiguous().numpy().data)
    return digest.hexdigest()[:16]

"""A folder of images by the rules 2: its parts, decoded as they are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from trainer.data.folder.decoding import Decoded, decode_like, decode_training
from trainer.data.folder.layout import Layout, find_layout
from trainer.data.images import Images
from trainer.data.reading import Progress, Reading, ReadOptions, no_progress
from trainer.data.splits import (
    LEAST_WITHOUT_TEST,
    TEST_PARTS,
    VALIDATION_PARTS,
    require_images,
    stratified_split,
)
from trainer.errors import DataError
from trainer.words import plural

__all__ = ["FolderContents", "Part"]

_SHOWN = 20


@dataclass(frozen=True)
class Part:
    """The files of a part.

    Attributes:
        files: in their order.
        labels: int64, the index of the class of each.
        origin: where the part comes from, in words.
    """

    files: tuple[Path, ...]
    labels: Tensor
    origin: str

    def subset(self, indices: Tensor, origin: str) -> Part:
        """Return some of the files."""
        files = tuple(self.files[index] for index in indices.tolist())
        return Part(files, self.labels[indices], origin)


class FolderContents:
    """What a folder holds.

    Args:
        path: of the folder; `~` is expanded.
        options: what the study asks for.
        progress: is told how many files of a part are decoded.

    Attributes:
        path: of the folder.
        options: what the study asks for.
        layout: which files belong to which class and part.
        training: the files that a search trains on.
        validation: the files that it measures on.
        test: the files that nobody looks at before a confirm.

    Raises:
        DataError: see :func:`trainer.data.folder.layout.find_layout`; or a class has too few
            images.
    """

    def __init__(self, path: Path, options: ReadOptions, progress: Progress = no_progress) -> None:
        try:
            self.path = path.expanduser()
        except RuntimeError as error:
            raise DataError(f"{path} cannot be read ({error}); give its whole path") from error
        self.options = options
        self._progress = progress
        self.layout: Layout = find_layout(self.path, options.rules)
        self.training, self.validation, self.test = _split(self.path, self.layout)

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the names of the classes."""
        return self.layout.classes

    @cached_property
    def decoded_training(self) -> Decoded:
        """The decoded training files, and behind them those for validation."""
        files = (*self.training.files, *self.validation.files)
        try:
            return decode_training(files, self.options, self._progress)
        except DataError as error:
            raise _placed(self.path, error) from error

    @cached_property
    def decoded_test(self) -> Decoded:
        """The decoded test files."""
        try:
            return decode_like(self.test.files, self.decoded_training.form, self._progress)
        except DataError as error:
            raise _placed(self.path, error) from error

    def images(self) -> tuple[Images, int]:
        """Return the whole training part, and the index at which its validation images begin.

        Raises:
            DataError: if files are broken and are not to be skipped, or too few are left.
        """
        decoded = self.decoded_training
        self.require_whole(decoded)
        labels = _healthy(torch.cat((self.training.labels, self.validation.labels)), decoded)
        broken = sum(item.index < len(self.training.files) for item in decoded.broken)
        begin = len(self.training.files) - broken
        shown = "; ".join(broken.reason for broken in decoded.broken[:_SHOWN])
        for part in (labels[:begin], labels[begin:]) if decoded.broken else ():
            if not part.bincount(minlength=len(self.classes)).all():
                raise DataError(
                    f"{self.path}: without its broken files a class has no image left for "
                    f"training or validation; replace them: {shown}"
                )
        return Images(torch.from_numpy(decoded.pixels), labels), begin

    def test_images(self) -> Images:
        """Return the test part.

        Raises:
            DataError: if files are broken and are not to be skipped.
        """
        decoded = self.decoded_test
        self.require_whole(decoded)
        return Images(torch.from_numpy(decoded.pixels), _healthy(self.test.labels, decoded))

    def reading(self) -> Reading:
        """Return how the images were read."""
        form = self.decoded_training.form
        return Reading(self.options.rules, form.background, form.resize, form.scale)

    def require_whole(self, *parts: Decoded) -> None:
        """Refuse broken files, all of the given parts at once, unless they are to be skipped.

        Raises:
            DataError: naming each file.
        """
        reasons = [broken.reason for part in parts for broken in part.broken]
        if reasons and not self.options.skip_broken:
            raise DataError(f"{self.path} has {_named(reasons)}")


def _named(reasons: Sequence[str]) -> str:
    count = len(reasons)
    shown = "; ".join(reasons[:_SHOWN])
    more = f"; and {count - _SHOWN:,} more" if count > _SHOWN else ""
    return (
        f"{plural(count, 'file')} that cannot be read: {shown}{more}; "
        "replace or remove them, or set skip_broken = true to go on without them"
    )


def _placed(path: Path, error: DataError) -> DataError:
    return error if str(path) in str(error) else type(error)(f"{path}: {error}")


def _healthy(labels: Tensor, decoded: Decoded) -> Tensor:
    keep = torch.ones(len(labels), dtype=torch.bool)
    keep[[broken.index for broken in decoded.broken]] = False
    return labels[keep]


def _split(path: Path, layout: Layout) -> tuple[Part, Part, Part]:
    """Return the files for training, for validation and for the test."""
    training = _part(layout.parts["training"], _origin(path, layout, "training"))
    validation = test = None
    if "validation" in layout.parts:
        validation = _part(layout.parts["validation"], _origin(path, layout, "validation"))
    if "test" in layout.parts:
        test = _part(layout.parts["test"], _origin(path, layout, "test"))
    place = _origin(path, layout, "training")
    if test is None:
        least = LEAST_WITHOUT_TEST if validation is None else TEST_PARTS
        keep, aside = _aside(path, training, TEST_PARTS, least, layout.classes)
        test = training.subset(aside, f"a fifth of {place}, set aside")
        training = training.subset(keep, place)
    if validation is None:
        keep, aside = _aside(path, training, VALIDATION_PARTS, VALIDATION_PARTS, layout.classes)
        validation = training.subset(aside, f"a sixth of {place}, set aside")
        training = training.subset(keep, place)
    return training, validation, test


def _part(files: Mapping[str, Sequence[Path]], origin: str) -> Part:
    every = tuple(file for found in files.values() for file in found)
    labels = [label for label, found in enumerate(files.values()) for _ in found]
    return Part(every, torch.tensor(labels, dtype=torch.int64), origin)


def _origin(path: Path, layout: Layout, part: str) -> str:
    """Return the folder of a part, relative to the data set where it lies inside."""
    place = layout.origins[part]
    return "the folder" if place == path else f"{place.relative_to(path).as_posix()}/"


def _aside(
    path: Path, part: Part, parts: int, least: int, classes: Sequence[str]
) -> tuple[Tensor, Tensor]:
    try:
        require_images(part.labels, least, classes)
        return stratified_split(part.labels, parts, classes)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None

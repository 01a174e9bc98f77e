"""The entries of the table of data sets: those with a name, and kinds of them with a path."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from trainer.data.dataset import Dataset
from trainer.data.findings import Findings
from trainer.data.images import Images
from trainer.data.reading import Progress, Reading, ReadOptions, no_progress

__all__ = ["NamedDataset", "Part", "PathDataset", "Shape"]

Part: TypeAlias = Literal["training", "test"]
Shape: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class NamedDataset(ABC):
    """A data set that is known before its files are read.

    Attributes:
        name: what studies call it.
        classes: the name of each class, in the order of their labels.
        input_shape: channels, height and width of an image.
        training_images: in the training part; None where that is not known beforehand.
    """

    name: str
    classes: tuple[str, ...]
    input_shape: Shape
    training_images: int | None = None

    def open(self, root: Path) -> Dataset:
        """Read the training part, and the test part when it is first asked for.

        Args:
            root: the folder of the downloaded data sets.

        Raises:
            DataError: if the data is missing and cannot be downloaded, or is damaged.
        """
        return Dataset(
            self.name,
            self.classes,
            self._available(root, "training"),
            lambda: self._available(root, "test"),
        )

    def _available(self, root: Path, part: Part) -> Images:
        self.make_available(root, part)
        return self.read(root, part)

    def make_available(self, root: Path, part: Part) -> None:  # noqa: B027
        """Download what :meth:`read` needs, unless it is there already.

        Args:
            root: the folder of the downloaded data sets.
            part: ``training`` or ``test``.

        Raises:
            DataError: if it cannot be fetched.
        """

    @abstractmethod
    def read(self, root: Path, part: Part) -> Images:
        """Read one part, without touching the files of the other.

        Args:
            root: the folder of the downloaded data sets.
            part: ``training`` or ``test``.

        Raises:
            DataError: if a file is missing or damaged.
        """

    @abstractmethod
    def image_lines(self, shape: Shape) -> list[str]:
        """Return statements of Python that read one image as it is read here, for a model card.

        They may import torch and public packages but not flyweight, and they make ``image``, a
        float tensor from 0 to 1.

        Args:
            shape: channels, height and width of the image.
        """


class PathDataset(ABC):
    """A kind of data set that lies at a path of the user's: ``PREFIX:PATH``.

    Attributes:
        prefix: what stands before the colon.
    """

    prefix: str

    @abstractmethod
    def open(
        self, name: str, path: Path, options: ReadOptions, progress: Progress = no_progress
    ) -> Dataset:
        """Read the training part, and the test part when it is first asked for.

        Args:
            name: what the study calls it, the prefix included.
            path: where the data is; a relative one starts in the working directory.
            options: what the study asks of the reading.
            progress: is told how far the reading of a part is.

        Raises:
            DataError: if the data is missing, damaged or unusable, or if an option that is given
                does not apply to it.
        """

    @abstractmethod
    def inspect(
        self, name: str, path: Path, options: ReadOptions, progress: Progress = no_progress
    ) -> tuple[Findings, Dataset | None]:
        """Look at all of it, the test part too; the arguments are those of :meth:`open`.

        Returns:
            What was found, and the opened data set; None where there are problems.

        Raises:
            DataError: if there is nothing to look at.
        """

    @abstractmethod
    def image_lines(self, shape: Shape, reading: Reading) -> list[str]:
        """Return statements of Python that read one image; see :class:`NamedDataset`.

        Args:
            shape: channels, height and width of the image.
            reading: how the images of the study were read.
        """

"""The images that a worker trains on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from torch import Tensor

from search.errors import InputError, ResumeError, printable
from search.spec.study_file import StudyFile
from search.study.study import StoredStudy
from search.workers.patience import said_if_slow
from trainer.data import (
    RULES,
    Dataset,
    Images,
    Inspection,
    Normalisation,
    Progress,
    Reading,
    ReadOptions,
    inspect_dataset,
    no_progress,
    normalisation,
    open_dataset,
)

__all__ = [
    "DataSplit",
    "Folds",
    "calibration_images",
    "data_root",
    "final_split",
    "inspect_data",
    "open_data",
    "reopen_data",
    "search_split",
    "show_reading",
]

DATA_VARIABLE = "FLYWEIGHT_DATA"

_SILENT_SECONDS = 1.0
_CALIBRATION_IMAGES = 1_000


@dataclass(frozen=True)
class DataSplit:
    """The images of one kind of training, on the device that trains.

    Attributes:
        training: the training images.
        evaluation: the images that accuracies are measured on.
        normalisation: of the training images.
    """

    training: Images
    evaluation: Images
    normalisation: Normalisation

    @property
    def device(self) -> torch.device:
        """Return the device of the images."""
        return self.training.pixels.device


def data_root(given: str | Path | tuple[Any, ...] | None) -> Path:
    """Return the folder of the data sets: ``given``, else ``$FLYWEIGHT_DATA``, else ``data/``.

    Raises:
        InputError: if arrays are given, which ``run`` alone takes, or something else.
    """
    if isinstance(given, tuple):
        raise InputError("data: arrays are given to run alone; here give a folder, or nothing")
    if given is not None and not isinstance(given, str | os.PathLike):
        raise InputError(
            f"data: a {type(given).__name__} is given; give a folder, or to run a tuple of arrays: "
            "(images, labels)"
        )
    return Path(given or os.environ.get(DATA_VARIABLE) or "data")


def open_data(file: StudyFile, root: Path, reading: Reading | None = None) -> Dataset:
    """Open a study's data set.

    Args:
        file: of the study.
        root: of the data sets.
        reading: how a study that has begun read its images, whose rules it keeps; None for a new
            study.

    Raises:
        DataError: if it is not there or cannot be used.
    """
    settings = file.settings
    return open_dataset(
        settings.dataset,
        root,
        image_size=settings.image_size,
        colour=settings.colour,
        background=settings.background,
        skip_broken=settings.skip_broken,
        rules=RULES if reading is None else reading.rules,
    )


def inspect_data(
    file: StudyFile,
    root: Path,
    reading: Reading | None = None,
    progress: Progress = no_progress,
    *,
    thorough: bool = True,
) -> Inspection:
    """Open a study's data set with a look at all of it.

    Args:
        file: of the study.
        root: of the data sets.
        reading: as for :func:`open_data`.
        progress: is told how far the reading is.
        thorough: whether to look at the pixels of a set that has a name.

    Raises:
        DataError: if there is nothing to look at.
    """
    settings = file.settings
    options = ReadOptions(
        image_size=settings.image_size,
        colour=settings.colour,
        background=settings.background,
        skip_broken=settings.skip_broken,
        rules=RULES if reading is None else reading.rules,
    )
    return inspect_dataset(settings.dataset, root, options, progress, thorough=thorough)


@contextmanager
def show_reading(console: Console, dataset: str) -> Iterator[Progress]:
    """Show how far the reading of images is: a bar on a terminal, else one line if it takes long.

    A terminal has the line too where there are no files to count, as when a set is downloaded.

    Args:
        console: where to show it.
        dataset: the name of the data set.
    """
    counting = False

    def tell(line: str) -> None:
        if not (counting and console.is_terminal):
            console.print(line, highlight=False, markup=False, soft_wrap=True)

    bar = Bar(
        TextColumn("reading images"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with said_if_slow(tell, printable(f"reading the images of {dataset}"), _SILENT_SECONDS), bar:
        task = bar.add_task("", visible=False, total=None)

        def show(done: int, total: int) -> None:
            nonlocal counting
            counting = True
            bar.update(task, completed=done, total=total, visible=True)

        yield show


def reopen_data(stored: StoredStudy, root: Path) -> Dataset:
    """Open the data set of a study that has begun.

    Raises:
        DataError: if it is not there or cannot be used.
        ResumeError: if it holds other images than when the study began.
    """
    dataset = open_data(stored.file, root, stored.data.reading)
    if not stored.search_data_matches(dataset.info):
        raise ResumeError(
            f"the images of {dataset.info.name} in {root} are not those with which the study "
            f"{stored.name!r} began; restore those images or begin a new study"
        )
    return dataset


class Folds:
    """The images of a search, split in several ways; see ``Dataset.search_split``.

    The first fold stays in memory, and one other at a time.

    Args:
        dataset: opened.
        device: that trains.

    Attributes:
        count: how many folds there are; 1 where the data has a validation part of its own.
    """

    def __init__(self, dataset: Dataset, device: torch.device) -> None:
        self.count = dataset.folds
        self._dataset = dataset
        self._device = device
        self._first = search_split(dataset, device)
        self._other: tuple[int, DataSplit] | None = None

    def __getitem__(self, fold: int) -> DataSplit:
        """Return the images of a fold, from 0 to ``count`` - 1."""
        if fold == 0:
            return self._first
        if self._other is None or self._other[0] != fold:
            self._other = None  # Its memory is free before the next one needs it.
            self._other = (fold, search_split(self._dataset, self._device, fold))
        return self._other[1]


def search_split(dataset: Dataset, device: torch.device, fold: int = 0) -> DataSplit:
    """Return the images of a search: the two parts of the training set, never the test set."""
    training, validation = dataset.search_split(fold)
    return DataSplit(training.to(device), validation.to(device), normalisation(training))


def calibration_images(training: Images) -> Tensor:
    """Return up to 1,000 images, uint8 (n, channels, height, width), for the ranges of int8.

    Args:
        training: the images that the network was trained on. The same ones give the same sample.
    """
    order = torch.randperm(len(training), generator=torch.Generator().manual_seed(0))
    return training.pixels[order[:_CALIBRATION_IMAGES].to(training.pixels.device)].cpu()


def final_split(dataset: Dataset, device: torch.device) -> DataSplit:
    """Return the whole training set, with the test set to measure accuracies on."""
    training = dataset.training()
    return DataSplit(training.to(device), dataset.test().to(device), normalisation(training))

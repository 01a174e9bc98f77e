"""The images that a worker trains on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import torch

from search.errors import ResumeError
from search.spec.study_file import StudyFile
from search.study.study import StoredStudy
from trainer.data import (
    RULES,
    Dataset,
    Images,
    Normalisation,
    Reading,
    normalisation,
    open_dataset,
)

__all__ = ["DataSplit", "data_root", "final_split", "open_data", "reopen_data", "search_split"]

DATA_VARIABLE = "FLYWEIGHT_DATA"


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


def data_root(given: str | Path | None) -> Path:
    """Return the folder of the data sets: ``given``, else ``$FLYWEIGHT_DATA``, else ``data/``."""
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


def search_split(dataset: Dataset, device: torch.device) -> DataSplit:
    """Return the images of a search: the two parts of the training set, never the test set."""
    training, validation = dataset.search_split()
    return DataSplit(training.to(device), validation.to(device), normalisation(training))


def final_split(dataset: Dataset, device: torch.device) -> DataSplit:
    """Return the whole training set, with the test set to measure accuracies on."""
    training = dataset.training()
    return DataSplit(training.to(device), dataset.test().to(device), normalisation(training))

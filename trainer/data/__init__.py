"""Images with labels: named data sets, folders of images, downloads, splits."""

from __future__ import annotations

from trainer.data.dataset import DataInfo, Dataset
from trainer.data.datasets import (
    DATASET_FORMS,
    DATASET_NAMES,
    PATH_DATASETS,
    find_dataset,
    known_shape,
    open_dataset,
)
from trainer.data.images import Images, Normalisation, normalisation
from trainer.data.reading import BACKGROUND, RULES, Progress, Reading, background_problem

__all__ = [
    "BACKGROUND",
    "DATASET_FORMS",
    "DATASET_NAMES",
    "PATH_DATASETS",
    "RULES",
    "DataInfo",
    "Dataset",
    "Images",
    "Normalisation",
    "Progress",
    "Reading",
    "background_problem",
    "find_dataset",
    "known_shape",
    "normalisation",
    "open_dataset",
]

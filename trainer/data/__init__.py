"""Images with labels: named data sets, folders of images, downloads, splits."""

from __future__ import annotations

from trainer.data.arrays import labels_of, pixels_of
from trainer.data.dataset import DataInfo, Dataset
from trainer.data.datasets import (
    DATASET_FORMS,
    DATASET_NAMES,
    PATH_DATASETS,
    find_dataset,
    known_shape,
    known_training_images,
    open_dataset,
    path_of,
)
from trainer.data.findings import Findings, FoundPart, Group
from trainer.data.images import Images, Normalisation, normalisation
from trainer.data.inspection import Inspection, inspect_dataset
from trainer.data.reading import (
    BACKGROUND,
    RULES,
    Progress,
    Reading,
    ReadOptions,
    background_problem,
    no_progress,
)

__all__ = [
    "BACKGROUND",
    "DATASET_FORMS",
    "DATASET_NAMES",
    "PATH_DATASETS",
    "RULES",
    "DataInfo",
    "Dataset",
    "Findings",
    "FoundPart",
    "Group",
    "Images",
    "Inspection",
    "Normalisation",
    "Progress",
    "ReadOptions",
    "Reading",
    "background_problem",
    "find_dataset",
    "inspect_dataset",
    "known_shape",
    "known_training_images",
    "labels_of",
    "no_progress",
    "normalisation",
    "open_dataset",
    "path_of",
    "pixels_of",
]

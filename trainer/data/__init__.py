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

__all__ = [
    "DATASET_FORMS",
    "DATASET_NAMES",
    "PATH_DATASETS",
    "DataInfo",
    "Dataset",
    "Images",
    "Normalisation",
    "find_dataset",
    "known_shape",
    "normalisation",
    "open_dataset",
]

"""Images with labels: named data sets, folders of images, downloads, splits."""

from __future__ import annotations

from trainer.data.dataset import DATASET_NAMES, DataInfo, Dataset, known_shape, open_dataset
from trainer.data.images import Images, Normalisation, normalisation

__all__ = [
    "DATASET_NAMES",
    "DataInfo",
    "Dataset",
    "Images",
    "Normalisation",
    "known_shape",
    "normalisation",
    "open_dataset",
]

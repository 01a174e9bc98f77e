"""The images of the comparison: a small part to search on, and the rest to judge on.

Both are from MNIST's training part. Its test part is not read, and need not be there.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from trainer.data import open_dataset

__all__ = ["IMAGES", "SEARCHED", "SPLIT_SEED", "choose_images", "make_images"]

SEARCHED = 12_000
"""The images of a search: flyweight's own split trains on 10,000 and validates on 2,000."""

SPLIT_SEED = 2026

IMAGES = "short.npz"
"""The name of the file in the folder of the comparison."""


def make_images(folder: Path, data: Path) -> Path:
    """Write the images of the comparison unless they are there, and return their file.

    Args:
        folder: of the comparison.
        data: root of the data sets, which holds MNIST's training part.
    """
    path = folder / IMAGES
    if path.exists():
        return path
    whole = open_dataset("mnist", data).training()
    pixels, labels = whole.pixels[:, 0].numpy(), whole.labels.numpy()
    searched, judged = choose_images(labels, SEARCHED)
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{os.getpid()}-{IMAGES}"
    np.savez(
        draft,
        x_train=pixels[searched],
        y_train=labels[searched],
        x_test=pixels[judged],  # what flyweight takes for the test part
        y_test=labels[judged],
    )
    draft.replace(path)
    return path


def choose_images(
    labels: NDArray[np.int64], searched: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Choose the images to search on and those to judge on, in each class's proportion.

    Args:
        labels: of all images, shape (n,).
        searched: how many to search on.

    Returns:
        The indices of either part, ascending; they are always the same.
    """
    chosen, rest = train_test_split(
        np.arange(len(labels)), train_size=searched, stratify=labels, random_state=SPLIT_SEED
    )
    return np.sort(chosen), np.sort(rest)

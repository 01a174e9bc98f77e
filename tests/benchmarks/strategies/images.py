"""The images of a comparison: a part to search on, and the rest to judge on.

Both are from MNIST's training part. Its test part is not read, and need not be there.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from trainer.data import open_dataset

__all__ = ["SPLIT_SEED", "choose_images", "make_images"]

SPLIT_SEED = 2026


def make_images(path: Path, searched: int, data: Path) -> Path:
    """Write the images of a comparison unless they are there, and return their file.

    Args:
        path: of the file, ``.npz``.
        searched: how many images to search on.
        data: root of the data sets, which holds MNIST's training part.
    """
    if path.exists():
        return path
    whole = open_dataset("mnist", data).training()
    pixels, labels = whole.pixels[:, 0].numpy(), whole.labels.numpy()
    to_search, judged = choose_images(labels, searched)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{os.getpid()}-{path.name}")
    np.savez(
        draft,
        x_train=pixels[to_search],
        y_train=labels[to_search],
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

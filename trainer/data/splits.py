"""Stratified splits by a fixed seed, the same for every study and every run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trainer.errors import DataError
from trainer.words import plural

__all__ = [
    "LEAST_WITHOUT_TEST",
    "SPLIT_SEED",
    "TEST_PARTS",
    "VALIDATION_PARTS",
    "require_images",
    "stratified_folds",
    "stratified_split",
]

SPLIT_SEED = 1998
"""Not the study's seed: all studies of a data set validate on the same images."""

VALIDATION_PARTS = 6
"""One in six training images validates: 10,000 of the 60,000 of MNIST."""

TEST_PARTS = 5
"""One in five images is set aside as test where a data set has no test part."""

LEAST_WITHOUT_TEST = 8
"""The fewest images of a class that leave `VALIDATION_PARTS` of them when the test is set aside."""


def stratified_split(labels: Tensor, parts: int, classes: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Choose the images to keep and the ones to set aside, one in `parts`.

    Args:
        labels: int64, shape (n,), on the CPU.
        parts: one image in this many is set aside, rounded up, in each class's proportion.
        classes: the name of each class.

    Returns:
        The indices to keep and those to set aside, int64, each ascending.

    Raises:
        DataError: if a class has fewer than `parts` images, so that one side might have none.
    """
    require_images(labels, parts, classes)
    from sklearn.model_selection import train_test_split

    keep, aside = train_test_split(
        np.arange(len(labels)),
        test_size=-(-len(labels) // parts),
        stratify=labels.numpy(),
        random_state=SPLIT_SEED,
    )
    return torch.from_numpy(np.sort(keep)), torch.from_numpy(np.sort(aside))


def stratified_folds(labels: Tensor, parts: int, fold: int, classes: Sequence[str]) -> Tensor:
    """Choose one of some parts of the images, which share no image and hold all of them together.

    Args:
        labels: int64, shape (n,), on the CPU.
        parts: how many, each in each class's proportion.
        fold: which one, from 0 to ``parts`` - 1.
        classes: the name of each class.

    Returns:
        The indices of the part, int64, ascending.

    Raises:
        DataError: if a class has fewer than ``parts`` images, so that some part might have none.
    """
    require_images(labels, parts, classes)
    from sklearn.model_selection import StratifiedKFold

    folds: Any = StratifiedKFold  # which has no types
    split = folds(parts, shuffle=True, random_state=SPLIT_SEED).split
    _, chosen = list(split(np.zeros(len(labels)), labels.numpy()))[fold]
    return torch.from_numpy(chosen)


def require_images(labels: Tensor, least: int, classes: Sequence[str]) -> None:
    """Check that every class has at least `least` of the labels.

    Raises:
        DataError: if a class has fewer.
    """
    for name, count in zip(classes, labels.bincount(minlength=len(classes)).tolist(), strict=True):
        if count < least:
            raise DataError(
                f"class {name!r} has {plural(count, 'image')}, but splitting needs at least "
                f"{least}; add images or leave the class out"
            )

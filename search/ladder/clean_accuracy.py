"""The training accuracy that a test accuracy is held against: like with like."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from search.workers.data import DataSplit
from trainer.data import Images
from trainer.data.splits import stratified_split
from trainer.metrics import accuracy
from trainer.recipe import Recipe

__all__ = ["clean_accuracy", "clean_part"]


def clean_part(training: Images, like: int, classes: Sequence[str]) -> Images:
    """Choose training images, in each class's proportion and the same every time.

    Args:
        training: all training images.
        like: the number of test images, about as many of which are chosen; more where a class has
            so few images that it would have none.
        classes: the name of each class.

    Returns:
        The chosen images, as a copy; all of them where the test part is at least as large.
    """
    labels = training.labels.cpu()
    smallest = int(labels.bincount(minlength=len(classes)).min())
    parts = min(round(len(training) / like), smallest)
    if parts < 2:
        return training
    _, chosen = stratified_split(labels, parts, classes)
    return training.subset(chosen)


def clean_accuracy(network: nn.Module, images: Images, data: DataSplit, recipe: Recipe) -> float:
    """Return the accuracy on training images as test images are judged.

    The network is in evaluation mode, and the images are not augmented.

    Args:
        network: after its training.
        images: training images, on the network's device.
        data: what it was trained on.
        recipe: how it was trained.

    Returns:
        0 to 1.
    """
    return accuracy(network, images, recipe.normalisation(data.normalisation))

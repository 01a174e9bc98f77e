"""Accuracy of a network on images, and the floor of a series of accuracies."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from trainer.batches import normalise
from trainer.data import Images, Normalisation

__all__ = ["accuracy", "floor", "predict"]

_EVALUATION_BATCH = 500


def predict(network: nn.Module, images: Images, normalisation: Normalisation) -> Tensor:
    """Returns the class (n,) that the network gives each image, in evaluation mode."""
    was_training = network.training
    network.eval()
    classes = []
    with torch.inference_mode():
        for pixels in images.pixels.split(_EVALUATION_BATCH):
            logits = network(normalise(pixels.float().div_(255), normalisation))
            classes.append(logits.argmax(dim=1))
    network.train(was_training)
    return torch.cat(classes)


def accuracy(network: nn.Module, images: Images, normalisation: Normalisation) -> float:
    """Returns the share of images, 0 to 1, whose class the network gives."""
    right = predict(network, images, normalisation) == images.labels
    return int(right.sum()) / len(images)


def floor(accuracies: Sequence[float], epochs: int) -> float:
    """Returns the lowest of the last ``epochs`` accuracies (of all, where there are fewer).

    Raises:
        ValueError: if there is no accuracy, or ``epochs`` is below 1.
    """
    if not accuracies or epochs < 1:
        raise ValueError(f"no floor over {epochs} of {len(accuracies)} epochs")
    return min(accuracies[-epochs:])

"""Accuracy of a network on images, and the floor of a series of accuracies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from statistics import fmean

import torch
from torch import Tensor, nn

from trainer.batches import normalise
from trainer.data.images import Images, Normalisation
from trainer.errors import DataError
from trainer.runtime import exact_figures, is_out_of_memory

__all__ = ["accuracy", "classify", "evaluating", "floor", "predict", "share_correct", "tail_mean"]

# A batch costs a GPU the same number of launches, however many images it has.
_EVALUATION_BATCH = {"cpu": 500}
_EVALUATION_BATCH_OF_GPUS = 2_500
_SMALLEST_EVALUATION_BATCH = 100


def predict(network: nn.Module, images: Images, normalisation: Normalisation) -> Tensor:
    """Return the class that the network gives each image, in evaluation mode.

    The network's modules are left in the modes in which they were.

    Returns:
        int64, shape (n,), on the device of the images; -1 where a logit is not finite,
        because the network gives no class then.
    """
    with evaluating(network), exact_figures(images.pixels.device):
        return classify(network, images, normalisation)


def classify(
    logits: Callable[[Tensor], Tensor], images: Images, normalisation: Normalisation
) -> Tensor:
    """Return the class of each image by a function from normalised images to logits.

    Images go through in batches, which are halved while the device has no memory for them.

    Returns:
        As :func:`predict`.
    """
    device = images.pixels.device
    size = _EVALUATION_BATCH.get(device.type, _EVALUATION_BATCH_OF_GPUS)
    classes: list[Tensor] = []
    start = 0
    with torch.inference_mode():
        while start < len(images) or not classes:
            pixels = images.pixels[start : start + size]
            try:
                classes.append(_classes(logits(normalise(pixels.float().div_(255), normalisation))))
                start += size
                continue
            except (MemoryError, RuntimeError) as error:
                if size <= _SMALLEST_EVALUATION_BATCH or not is_out_of_memory(error):
                    raise
            # Nothing holds the memory of the batch that failed any more.
            torch.cuda.empty_cache()
            size = max(_SMALLEST_EVALUATION_BATCH, size // 2)
    return torch.cat(classes)


def accuracy(network: nn.Module, images: Images, normalisation: Normalisation) -> float:
    """Return the share of images, 0 to 1, whose class the network gives.

    Raises:
        DataError: if there are no images.
    """
    return share_correct(predict(network, images, normalisation), images.labels)


def share_correct(classes: Tensor, labels: Tensor) -> float:
    """Return the share, 0 to 1, of two (n,) tensors that agrees.

    Raises:
        DataError: if n is 0.
    """
    if not len(labels):
        raise DataError("there are no images to evaluate; give at least one")
    return int((classes == labels).sum()) / len(labels)


def floor(accuracies: Sequence[float], epochs: int) -> float:
    """Return the lowest of the last ``epochs`` accuracies (of all, where there are fewer).

    Raises:
        ValueError: if there is no accuracy, or ``epochs`` is below 1.
    """
    if not accuracies or epochs < 1:
        raise ValueError(
            f"a floor needs at least one epoch and one accuracy, not {epochs} and {len(accuracies)}"
        )
    return min(accuracies[-epochs:])


def tail_mean(accuracies: Sequence[float], epochs: int) -> float:
    """Return the mean of the last ``epochs`` accuracies (of all, where there are fewer).

    Raises:
        ValueError: if there is no accuracy, or ``epochs`` is below 1.
    """
    if not accuracies or epochs < 1:
        raise ValueError(
            f"a mean needs at least one epoch and one accuracy, not {epochs} and {len(accuracies)}"
        )
    return fmean(accuracies[-epochs:])


def _classes(logits: Tensor) -> Tensor:
    return torch.where(logits.isfinite().all(dim=1), logits.argmax(dim=1), -1)


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Put a network into evaluation mode in the block; restore each module's mode afterwards."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training

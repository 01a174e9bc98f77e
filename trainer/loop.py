"""The training loop: a generator that yields one epoch at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import isfinite

import torch
from torch import Tensor, nn

from trainer.batches import Batches
from trainer.data import Images, Normalisation
from trainer.errors import Diverged, OutOfMemory
from trainer.metrics import accuracy
from trainer.randomness import Randomness
from trainer.recipe import Recipe
from trainer.schedule import rates_at
from trainer.step import TrainingStep
from trainer.weights import AveragedWeights, FlatWeights

__all__ = ["Epoch", "train"]

_STEPS_BETWEEN_CHECKS = 50


@dataclass(frozen=True)
class Epoch:
    """What one epoch gave.

    Attributes:
        number: from 0.
        loss: mean training loss.
        train_accuracy: over the augmented batches while they were trained on, 0 to 1.
        accuracy: on the evaluation images, 0 to 1.
        seconds: wall time, evaluation included.
    """

    number: int
    loss: float
    train_accuracy: float
    accuracy: float
    seconds: float

    def to_dict(self) -> dict[str, float]:
        """Returns the figures as JSON values."""
        return asdict(self)


def train(
    network: nn.Module,
    training: Images,
    evaluation: Images,
    normalisation: Normalisation,
    recipe: Recipe,
) -> Iterator[Epoch]:
    """Trains a network, one epoch for each value that the caller asks for.

    While the caller holds an :class:`Epoch` the network holds the weights that were evaluated
    (the averaged ones where the recipe averages); so it does after the last. The same network,
    images, recipe and machine give the same numbers, whatever the caller does in between.

    Args:
        network: maps (n, c, h, w) floats to (n, classes) logits; trained in place, on the device
            of the images.
        training: the images to learn from.
        evaluation: the images to be judged on.
        normalisation: applied to both.
        recipe: how to train.

    Yields:
        One epoch at a time, ``recipe.epochs`` of them.

    Raises:
        Diverged: when the loss is not finite any more.
        OutOfMemory: when the device has no room for the step.
    """
    network.train()
    weights = FlatWeights(network)
    average = AveragedWeights(weights, network, recipe.averaging) if recipe.averaging else None
    step = TrainingStep(network, weights, recipe)
    batches = Batches(training, normalisation, recipe)
    randomness = Randomness(recipe.seed, training.pixels.device)
    for number in range(recipe.epochs):
        started = time.perf_counter()
        with randomness:
            loss, train_accuracy = _one_epoch(number, step, batches, average, recipe)
        if average is not None:
            average.swap()
        judged = accuracy(network, evaluation, normalisation)
        yield Epoch(number, loss, train_accuracy, judged, time.perf_counter() - started)
        if average is not None and number + 1 < recipe.epochs:
            average.swap()


def _one_epoch(
    number: int,
    step: TrainingStep,
    batches: Batches,
    average: AveragedWeights | None,
    recipe: Recipe,
) -> tuple[float, float]:
    """Returns the epoch's mean loss and its share of right answers."""
    loss_sum, right_sum, count = 0.0, 0.0, 0
    losses: list[Tensor] = []
    rights: list[Tensor] = []

    def settle() -> None:
        nonlocal loss_sum, right_sum
        loss_sum += float(torch.stack(losses).sum())
        right_sum += float(torch.stack(rights).sum())
        losses.clear()
        rights.clear()
        if not isfinite(loss_sum):
            raise Diverged(number)

    try:
        for index, (pixels, labels) in enumerate(batches):
            rates = rates_at(recipe, number * len(batches) + index, len(batches))
            loss, right = step(pixels, labels, rates)
            losses.append(loss * len(labels))
            rights.append(right)
            count += len(labels)
            if average is not None:
                average.update()
            if len(losses) == _STEPS_BETWEEN_CHECKS:
                settle()
        if losses:
            settle()
    except torch.OutOfMemoryError as error:
        raise OutOfMemory(str(error)) from error
    return loss_sum / count, right_sum / count

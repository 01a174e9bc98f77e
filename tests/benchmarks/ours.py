"""The same training with flyweight's own trainer."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median

import torch

from space.network import build
from tests.benchmarks.nets import NETS
from tests.benchmarks.task import (
    BATCH_SIZE,
    DEGREES,
    FILL,
    LEARNING_RATE,
    MEAN,
    MOMENTUM,
    STD,
    EpochFigures,
    Job,
    Measurement,
)
from trainer.augment import Affine
from trainer.data import Images, Normalisation, open_dataset
from trainer.loop import Epoch, train
from trainer.recipe import Recipe

__all__ = ["NORMALISATION", "images", "measure", "recipe"]

NORMALISATION = Normalisation(mean=(MEAN,), std=(STD,))


def recipe(epochs: int, seed: int) -> Recipe:
    """Returns the seed-style loop's training as a recipe."""
    return Recipe(
        epochs=epochs,
        batch_size=BATCH_SIZE,
        optimizer="sgd",
        learning_rate=LEARNING_RATE,
        momentum=MOMENTUM,
        schedule="none",
        augment=(Affine(degrees=DEGREES, fill=FILL, interpolation="nearest"),),
        seed=seed,
    )


def images(root: Path, batches: int | None) -> tuple[Images, Images]:
    """Returns the training and the test part, the first ``batches`` of each unless None."""
    mnist = open_dataset("mnist", root)
    return _cut(mnist.training(), batches), _cut(mnist.test(), batches)


def measure(job: Job, root: Path, start_line: Callable[[], None]) -> Measurement:
    """Trains with :func:`trainer.loop.train`.

    Args:
        job: what to train.
        root: folder of ``MNIST/raw``.
        start_line: returns when the measured part may begin; the images are in memory by then.
    """
    device = torch.device(job.device)
    training, test = (part.to(device) for part in images(root, job.batches))
    start_line()
    stamps = [time.perf_counter()]
    torch.manual_seed(job.seed)
    network = build(NETS[job.net].architecture()).to(device)
    epochs = []
    for epoch in train(network, training, test, NORMALISATION, recipe(job.epochs, job.seed)):
        stamps.append(time.perf_counter())
        epochs.append(epoch)
    return _measurement(epochs, stamps, len(training))


def _measurement(epochs: list[Epoch], stamps: list[float], count: int) -> Measurement:
    """Takes the set-up off the first epoch.

    The set-up is what the trainer does not count as its first epoch or, where that is more, what
    the first epoch took longer than the others: whatever is compiled or warmed up only in the
    first step is no part of an epoch either.
    """
    first, *others = (after - before for before, after in pairwise(stamps))
    setup_seconds = first - epochs[0].seconds
    if others:
        setup_seconds = max(setup_seconds, first - median(others))
    figures = tuple(
        EpochFigures(seconds, epoch.loss, epoch.train_accuracy, epoch.accuracy)
        for seconds, epoch in zip([first - setup_seconds, *others], epochs, strict=True)
    )
    return Measurement(setup_seconds, count, figures, epochs[0].backend)


def _cut(part: Images, batches: int | None) -> Images:
    if batches is None:
        return part
    return part.subset(torch.arange(min(len(part), batches * BATCH_SIZE)))

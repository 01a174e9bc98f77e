"""The training loop: a generator that yields one epoch at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from math import isfinite
from typing import TypeVar

import torch
from torch import Tensor, nn

from trainer.backends.choose import Backend, make_step
from trainer.batches import Batches
from trainer.clean_statistics import CleanStatistics
from trainer.data.images import Images, Normalisation
from trainer.errors import DataError, Diverged
from trainer.metrics import classify, evaluating
from trainer.optim.schedules import rates_at
from trainer.randomness import Randomness
from trainer.recipe import Recipe
from trainer.runtime import (
    NoEngine,
    exact_figures,
    keep_freed_memory,
    precision,
    torch_threads,
    working_memory,
)
from trainer.weights import AveragedWeights, FlatWeights, unflatten

__all__ = ["Epoch", "train"]

_STEPS_BETWEEN_CHECKS = 50

_FIGURES = ("number", "loss", "train_accuracy", "accuracy", "seconds")

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Epoch:
    """The figures of one epoch.

    Attributes:
        number: from 0.
        loss: mean training loss.
        train_accuracy: over the augmented batches while they were trained on, 0 to 1.
        accuracy: on the evaluation images, 0 to 1.
        seconds: wall time, evaluation included.
        backend: what computed the steps.
        precision: of convolutions and matrix products, ``"ieee"`` or ``"tf32"``.
        predictions: the class that the network gives each evaluation image, int64 of shape (n,) on
            the images' device; None for an epoch that was stored.
    """

    number: int
    loss: float
    train_accuracy: float
    accuracy: float
    seconds: float
    backend: Backend = Backend.EAGER
    precision: str = "ieee"
    predictions: Tensor | None = field(default=None, repr=False, compare=False)

    def to_dict(self) -> dict[str, float]:
        """Return the figures, without what was the same in all epochs, as JSON values."""
        return {name: getattr(self, name) for name in _FIGURES}


def train(
    network: nn.Module,
    training: Images,
    evaluation: Images,
    normalisation: Normalisation,
    recipe: Recipe,
    backend: Backend | None = None,
) -> Generator[Epoch, None, None]:
    """Train a network, one epoch for each value that the caller asks for.

    While the caller holds an :class:`Epoch` the network holds the weights that were evaluated
    (the averaged ones where the recipe averages); so it does after the last, and when the
    generator is closed. The same network, images, recipe, backend, machine and threads give the
    same numbers, whatever the caller does in between. Until the generator ends the network's
    parameters are views of one vector: clone what you keep longer than an epoch. Trainings may
    take turns in one thread, but those of several threads would share torch's random generators
    and settings, which belong to the process.

    Args:
        network: maps (n, c, h, w) floats to (n, classes) logits; trained in place, on the device
            of the images.
        training: the training images.
        evaluation: the images that accuracy is measured on.
        normalisation: of the training images; applied to both, unless the recipe says otherwise.
        recipe: how to train.
        backend: what computes the steps; None for the fastest one for this network and device.

    Yields:
        One epoch at a time, ``recipe.epochs`` of them.

    Raises:
        DataError: if there are no training or no evaluation images.
        Diverged: when the loss, or a logit of an evaluation image, is no longer finite.
        OutOfMemory: when the device has no room for a step or the evaluation.
        NoKernels: if the backend cannot train this network here.
        TrainerError: if the network has no trainable parameter.
    """
    if not len(training) or not len(evaluation):
        counts = f"{len(training)} training and {len(evaluation)} evaluation images"
        raise DataError(f"{counts} were given; training needs at least one of each")
    device = training.pixels.device

    def begin() -> tuple[_Run, Epoch]:
        with working_memory(device, recipe.batch_size):
            run = _Run(network, training, evaluation, normalisation, recipe, backend)
            return run, run.epoch(0)

    try:
        run, epoch = _twice_if_no_engine(begin, network)
        yield epoch
        for number in range(1, recipe.epochs):
            with working_memory(device, recipe.batch_size):
                epoch = run.epoch(number)
            yield epoch
    finally:
        with working_memory(device, recipe.batch_size):
            unflatten([*network.parameters(), *network.buffers()])


def _twice_if_no_engine(begin: Callable[[], _Result], network: nn.Module) -> _Result:
    """Begin a training; where a convolution found no engine, once more with all memory free."""
    tensors = [*network.parameters(), *network.buffers()]
    initial = [tensor.detach().clone() for tensor in tensors]
    try:
        return begin()
    except NoEngine:
        pass  # After this block nothing holds the memory of the first attempt.
    torch.cuda.empty_cache()
    for tensor, value in zip(tensors, initial, strict=True):
        tensor.data.copy_(value)
    return begin()


class _Run:
    """The state of one call of :func:`train` that lasts over its epochs."""

    def __init__(
        self,
        network: nn.Module,
        training: Images,
        evaluation: Images,
        normalisation: Normalisation,
        recipe: Recipe,
        backend: Backend | None,
    ) -> None:
        keep_freed_memory()
        weights = FlatWeights(network)
        self._network = network
        self._evaluation = evaluation
        self._normalisation = recipe.normalisation(normalisation)
        self._recipe = recipe
        self._average = (
            AveragedWeights(weights, network, recipe.averaging, recipe.averaging_share)
            if recipe.averaging or recipe.averaging_share
            else None
        )
        self._clean = (
            CleanStatistics(network, training, self._normalisation, recipe)
            if recipe.clean_statistics
            else None
        )
        self._batches = Batches(training, self._normalisation, recipe)
        self._step, self._backend = make_step(
            network, weights, recipe, training.shape, len(self._batches), backend
        )
        self._randomness = Randomness(recipe.seed, training.pixels.device)
        # The threads of torch spin for milliseconds after each operation, on the cores on which
        # those of the kernels are to work.
        self._threads = 1 if self._backend is Backend.COMPILED else torch.get_num_threads()

    def epoch(self, number: int) -> Epoch:
        """Train for one epoch and evaluate; leave the evaluated weights in the network."""
        started = time.perf_counter()
        device = self._evaluation.pixels.device
        with (
            self._randomness,
            exact_figures(device),
            torch.enable_grad(),
            torch_threads(self._threads),
        ):
            computed_in = precision(device)
            if self._average is not None and number:
                self._average.swap()
            tally = self._train_epoch(number)
            if self._average is not None:
                self._average.swap()
            if self._clean is not None:
                self._clean.measure(self._step.observe)
            with evaluating(self._network):
                classes = classify(self._step.infer, self._evaluation, self._normalisation)
        # One wait for the device brings both.
        correct = classes == self._evaluation.labels
        not_finite, count = torch.stack([(classes < 0).sum(), correct.sum()]).tolist()
        if not_finite:
            raise Diverged(number)
        return Epoch(
            number=number,
            loss=tally.loss / tally.count,
            train_accuracy=tally.correct / tally.count,
            accuracy=count / len(correct),
            seconds=time.perf_counter() - started,
            backend=self._backend,
            precision=computed_in,
            predictions=classes,
        )

    def _train_epoch(self, number: int) -> _Tally:
        self._network.train()
        tally = _Tally(number)
        for index, (pixels, labels) in enumerate(self._batches, number * len(self._batches)):
            rates = rates_at(self._recipe, index, len(self._batches))
            loss, correct = self._step(pixels, labels, rates)
            if self._average is not None:
                self._average.update()
            tally.add(loss, correct, len(labels))
        tally.fetch()
        return tally


class _Tally:
    """The sums of an epoch's losses and correct predictions, fetched from the device rarely."""

    def __init__(self, number: int) -> None:
        self.loss, self.correct, self.count = 0.0, 0.0, 0
        self._number = number
        self._losses: list[Tensor] = []
        self._corrects: list[Tensor] = []

    def add(self, loss: Tensor, correct: Tensor, count: int) -> None:
        """Add a batch's mean loss and number of correct predictions."""
        self._losses.append(loss * count)
        self._corrects.append(correct)
        self.count += count
        if len(self._losses) == _STEPS_BETWEEN_CHECKS:
            self.fetch()

    def fetch(self) -> None:
        """Wait for the device and add the sums that it holds.

        Raises:
            Diverged: if the loss is not finite.
        """
        if self._losses:
            self.loss += float(torch.stack(self._losses).sum())
            self.correct += float(torch.stack(self._corrects).sum())
            self._losses, self._corrects = [], []
        if not isfinite(self.loss):
            raise Diverged(self._number)

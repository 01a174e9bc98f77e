"""Trainings of a benchmark's network on a device, whole or step by step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor, nn

from space import Architecture
from space.network import build
from tests.benchmarks.mnist import require_mnist
from tests.benchmarks.ours import NORMALISATION, images, recipe
from tests.gpu.card import synchronise
from trainer.backends.choose import Backend, make_step
from trainer.batches import Batches
from trainer.data import Images
from trainer.loop import Epoch, train
from trainer.optim.schedules import rates_at
from trainer.recipe import Recipe
from trainer.weights import FlatWeights

__all__ = ["Steps", "load_images", "long_recipe", "milliseconds", "network", "timed_epochs"]


def load_images(device: torch.device, batches: int | None) -> tuple[Images, Images]:
    """Return the training and the test part on a device, cut to some batches unless None."""
    training, test = images(require_mnist(), batches)
    return training.to(device), test.to(device)


def network(text: str, device: torch.device, seed: int = 0) -> nn.Module:
    """Return a network with the initial weights that a seed gives."""
    torch.manual_seed(seed)
    return build(Architecture.parse(text)).to(device)


def timed_epochs(
    text: str, parts: tuple[Images, Images], how: Recipe, backend: Backend | None, count: int
) -> Iterator[tuple[Epoch, float]]:
    """Train and yield each of some epochs with the seconds since the last, from the building on."""
    training, test = parts
    device = training.pixels.device
    synchronise(device)
    last = time.perf_counter()
    epochs = train(network(text, device), training, test, NORMALISATION, how, backend)
    for epoch in islice(epochs, count):
        synchronise(device)
        now = time.perf_counter()
        yield epoch, now - last
        last = now
    epochs.close()


@dataclass
class Steps:
    """Training steps on one and the same batch, as the training loop takes them.

    Args:
        text: the network.
        training: images, on the device.
        how: the recipe; what does not end before many steps are taken.
        backend: that computes them.
        seed: of the initial weights.
    """

    text: str
    training: Images
    how: Recipe
    backend: Backend
    seed: int = 0

    def __post_init__(self) -> None:
        made = Batches(self.training, NORMALISATION, self.how)
        self._steps_per_epoch = len(made)
        self.batch: tuple[Tensor, Tensor] = next(iter(made))
        self.network = network(self.text, self.training.pixels.device, self.seed).train()
        self._step, _ = make_step(
            self.network,
            FlatWeights(self.network),
            self.how,
            self.training.shape,
            self._steps_per_epoch,
            self.backend,
        )
        self._taken = 0

    def take(self) -> Tensor:
        """Take one step and return its loss, 0-d, without waiting for the device."""
        rates = rates_at(self.how, self._taken, self._steps_per_epoch)
        self._taken += 1
        loss, _ = self._step(*self.batch, rates)
        return loss


def milliseconds(work: Callable[[], object], count: int, device: torch.device) -> float:
    """Return the mean milliseconds of a call, over some in a row, after two that do not count."""
    for _ in range(2):
        work()
    synchronise(device)
    started = time.perf_counter()
    for _ in range(count):
        work()
    synchronise(device)
    return 1000 * (time.perf_counter() - started) / count


def long_recipe(seed: int = 0) -> Recipe:
    """Return the benchmark's recipe, of more epochs than are ever trained."""
    return recipe(1000, seed)

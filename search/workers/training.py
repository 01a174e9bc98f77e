"""Train one candidate from its initial weights to its last epoch, or until it fails."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

import torch
from torch import Tensor, nn

from search.spec.candidate import Candidate
from search.workers.data import DataSplit
from search.workers.stop import StopSignal, interruptible
from space.network import build
from trainer.errors import Diverged, OutOfMemory
from trainer.loop import Epoch, train
from trainer.runtime import working_memory

__all__ = ["Training", "seeded_network"]

_Failed = TypeVar("_Failed", bound=BaseException)


class Training:
    """The training of one candidate.

    Iterate over it to train: each value is one epoch. The iteration ends after the recipe's last
    epoch, or earlier if the training fails; leaving the loop ends it too.

    Args:
        candidate: what to train and how.
        data: the images, on the device that trains.
        stop: interrupts the training when this process is asked to stop.

    Attributes:
        candidate: what is trained.
        epochs: the epochs so far.
        failure: why the training ended early; None where it did not.
        predictions: the class that the network gave each evaluation image after the last epoch so
            far; None before the first.
    """

    def __init__(self, candidate: Candidate, data: DataSplit, stop: StopSignal) -> None:
        self.epochs: list[Epoch] = []
        self.failure: Diverged | OutOfMemory | None = None
        self.predictions: Tensor | None = None
        self.candidate = candidate
        self._data = data
        self._stop = stop
        self._network: nn.Module | None = None
        self._started: float | None = None
        self._seconds: float | None = None

    def __iter__(self) -> Iterator[Epoch]:
        """Train from the initial weights and yield each epoch as it ends.

        Raises:
            Stopped: if this process is asked to stop meanwhile.
        """
        data, recipe = self._data, self.candidate.recipe
        self._started = time.perf_counter()
        try:
            self._network = seeded_network(self.candidate, data.device)
            epochs = train(
                self._network, data.training, data.evaluation, data.normalisation, recipe
            )
            for epoch in interruptible(epochs, self._stop):
                self.predictions = epoch.predictions
                self.epochs.append(replace(epoch, predictions=None))
                yield epoch
        except (Diverged, OutOfMemory) as error:
            self.failure = _without_frames(error)
        finally:
            self._seconds = time.perf_counter() - self._started

    def run(self) -> None:
        """Train to the end.

        Raises:
            Stopped: if this process is asked to stop meanwhile.
        """
        for _ in self:
            pass

    @property
    def network(self) -> nn.Module:
        """Return the network after the last epoch.

        Raises:
            ValueError: if it was not built.
        """
        if self._network is None:
            raise ValueError("the training has not begun, so there is no network yet")
        return self._network

    @property
    def reason(self) -> str:
        """Return why the training ended early, in one line; empty if it did not."""
        return str(self.failure).splitlines()[0] if self.failure else ""

    @property
    def seconds(self) -> float:
        """Return the wall time of the training so far in seconds, to the millisecond."""
        if self._started is None:
            return 0.0
        seconds = self._seconds
        if seconds is None:
            seconds = time.perf_counter() - self._started
        return round(seconds, 3)


def _without_frames(error: _Failed) -> _Failed:
    """Remove the frames from an error and its causes.

    They would hold the tensors of the failed training, and the next one would find less memory.
    """
    each: BaseException | None = error
    while each is not None:
        each.__traceback__ = None
        each = each.__cause__ or each.__context__
    return error


def seeded_network(candidate: Candidate, device: torch.device) -> nn.Module:
    """Build a candidate's network with the initial weights that its recipe's seed gives.

    Raises:
        OutOfMemory: if the device has no room for the weights.
    """
    memory = working_memory(device, candidate.recipe.batch_size)
    with memory, torch.random.fork_rng(devices=[]):
        torch.manual_seed(candidate.recipe.seed)
        return build(candidate.architecture).to(device)

"""Trainings on the hollow device, and what each asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import nn

from space import Architecture, build
from tests.hollow import journal
from tests.hollow.journal import LAUNCHES, Kind, Place, Record
from trainer.backends.choose import Backend
from trainer.data import Images, Normalisation
from trainer.loop import train
from trainer.recipe import Recipe

__all__ = ["BATCH", "CHUNK_BATCHES", "NORMALISATION", "Asked", "ask", "images", "network"]

BATCH = 128
CHUNK_BATCHES = 8
"""Batches that are augmented at once."""

NORMALISATION = Normalisation((0.13,), (0.31,))


@dataclass(frozen=True)
class Asked:
    """What a training asked of its device.

    Attributes:
        epochs: the records of each epoch.
    """

    epochs: Sequence[Sequence[Record]]

    @property
    def everything(self) -> list[Record]:
        """Return the records of all epochs."""
        return [record for epoch in self.epochs for record in epoch]

    @property
    def violations(self) -> list[str]:
        """Return the calls that were refused, each with the capture broken by it."""
        return [each.name for each in self.everything if each.kind is Kind.VIOLATION]

    @property
    def beside(self) -> list[str]:
        """Return what was launched while a graph was recorded, and not into it."""
        return [
            f"{each.kind} {each.name}"
            for each in self.everything
            if each.kind in LAUNCHES and each.place is Place.BESIDE
        ]

    @property
    def graphs(self) -> list[int]:
        """Return the nodes of each graph that was recorded."""
        return [each.amount for each in self.everything if each.kind is Kind.CAPTURE_END]

    @property
    def launches(self) -> int:
        """Return what was launched in the last epoch, a graph counted once."""
        return sum(each.kind in LAUNCHES for each in self.epochs[-1])

    @property
    def waits(self) -> int:
        """Return how often the host waited for the device in the last epoch."""
        return journal.waits(self.epochs[-1])


@lru_cache
def images(count: int, channels: int = 1, device: str = "cuda:0") -> Images:
    """Return images of 28x28 pixels on a device; their numbers mean nothing there."""
    pixels = torch.zeros(count, channels, 28, 28, dtype=torch.uint8, device=device)
    return Images(pixels, torch.zeros(count, dtype=torch.int64, device=device))


def network(text: str, device: str = "cuda:0") -> nn.Module:
    """Build a network on a device from its lines."""
    return build(Architecture.parse(text)).to(device)


def ask(text: str, recipe: Recipe, batches: int = 2, rest: int = 37) -> Asked:
    """Train a network over the graph, and return what each epoch asked of the device.

    Args:
        text: the lines of the network.
        recipe: how to train; its epochs are trained one by one.
        batches: full batches in an epoch.
        rest: images of the last, short batch, 0 for none.
    """
    epochs = []
    trained = network(text)
    journal.reset()
    training = images(batches * recipe.batch_size + rest)
    for epoch in train(trained, training, images(600), NORMALISATION, recipe, Backend.GRAPH):
        assert epoch.backend is Backend.GRAPH
        epochs.append(journal.records())
        journal.reset()
    return Asked(epochs)

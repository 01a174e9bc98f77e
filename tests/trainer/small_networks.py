"""Small networks and the digits, cut small, for the tests of the trainer."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn

from trainer.data import Images, Normalisation, normalisation, open_dataset
from trainer.loop import Epoch

CLASSES = 10


@lru_cache(maxsize=1)
def digits() -> tuple[Images, Images, Normalisation]:
    """The digits to learn from, those to be judged on, and the normalisation of the first."""
    training, validation = open_dataset("digits", Path()).search_split()
    return training, validation, normalisation(training)


def some_digits(count: int) -> tuple[Images, Images, Normalisation]:
    """The same with ``count`` images to learn from."""
    training, validation, of_all = digits()
    return training.subset(torch.arange(count)), validation, of_all


def convolutional(seed: int = 0, dropout: float = 0.0) -> nn.Sequential:
    """Two convolutions with BatchNorm for 8x8 images, about 1,500 parameters."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Dropout(dropout),
            nn.Conv2d(8, 16, 3, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(16, CLASSES),
        )


class Sharing(nn.Module):
    """Uses one convolution twice, one never, and has a frozen one; for one-channel images."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3, padding=1)
        self.again = nn.Conv2d(4, 4, 3, padding=1)
        self.same = self.again
        self.never = nn.Conv2d(4, 4, 3)
        self.frozen = nn.Conv2d(4, 4, 1).requires_grad_(False)
        self.last = nn.Linear(4, CLASSES)

    def forward(self, pixels: Tensor) -> Tensor:
        """Maps (n, 1, h, w) to (n, 10)."""
        maps = self.again(self.first(pixels).relu()).relu()
        maps = self.frozen(self.same(maps).relu())
        logits: Tensor = self.last(maps.mean(dim=(2, 3)))
        return logits


def figures(epochs: Iterator[Epoch]) -> list[tuple[float, float, float]]:
    """All of each epoch but its time."""
    return [(epoch.loss, epoch.train_accuracy, epoch.accuracy) for epoch in epochs]


def cloned_state(network: nn.Module) -> dict[str, Tensor]:
    """The numbers of a network in memory of their own."""
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def assert_same_state(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    """Every number of two networks must be the same to the last bit."""
    assert first.keys() == second.keys()
    assert [name for name in first if not torch.equal(first[name], second[name])] == []

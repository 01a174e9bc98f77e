"""What both sides do: the training recipe, one training run as a plain value, and its figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = [
    "BATCH_SIZE",
    "DEGREES",
    "FILL",
    "LEARNING_RATE",
    "MEAN",
    "MOMENTUM",
    "SIDE_NAMES",
    "STD",
    "EpochFigures",
    "Job",
    "Measurement",
    "Side",
]

Side = Literal["seed", "ours"]
SIDE_NAMES: Mapping[Side, str] = {"seed": "seed-style", "ours": "flyweight"}

BATCH_SIZE = 128
LEARNING_RATE, MOMENTUM = 0.01, 0.9
MEAN, STD = 0.1307, 0.3081
DEGREES, FILL = 6.0, 1
"""Images are turned by up to ± this many degrees; around them lies this pixel value of 0 to 255."""


@dataclass(frozen=True)
class Job:
    """One training run.

    Attributes:
        side: whose loop trains.
        net: one of :data:`tests.benchmarks.nets.NETS`.
        threads: of torch, in the process that trains.
        epochs: over the 60,000 training images, each followed by the 10,000 test images.
        loader_workers: processes that read for the seed-style loop.
        batches: how many batches of either part there are; None for all.
        seed: of the initial weights, the order, the augmentation and the dropout.
        device: that trains, on our side; the seed-style loop knows the CPU alone.
    """

    side: Side
    net: str
    threads: int
    epochs: int
    loader_workers: int = 0
    batches: int | None = None
    seed: int = 0
    device: str = "cpu"


@dataclass(frozen=True)
class EpochFigures:
    """What one epoch took and gave.

    Attributes:
        seconds: wall time, test pass included.
        loss: mean over the training batches.
        train_accuracy: while training, 0 to 1.
        test_accuracy: 0 to 1.
    """

    seconds: float
    loss: float
    train_accuracy: float
    test_accuracy: float


@dataclass(frozen=True)
class Measurement:
    """What one job took and gave.

    Attributes:
        setup_seconds: all that comes before the first step and only once: building the network,
            compiling. Not imports, nor reading the files.
        images: training images of an epoch.
        epochs: in order. Their seconds and the set-up add up to the whole wall time.
        path: what computed the steps, on our side.
    """

    setup_seconds: float
    images: int
    epochs: tuple[EpochFigures, ...]
    path: str = ""

    @property
    def steady_seconds(self) -> tuple[float, ...]:
        """What each epoch took, without the first where there are others."""
        seconds = tuple(epoch.seconds for epoch in self.epochs)
        return seconds[1:] or seconds

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Measurement:
        """Reads what :func:`dataclasses.asdict` made."""
        epochs = tuple(EpochFigures(**epoch) for epoch in value["epochs"])
        return cls(value["setup_seconds"], value["images"], epochs, value.get("path", ""))

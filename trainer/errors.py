"""The errors that can occur while data is read or a network is trained.

    TrainerError
    ├── DataError       unknown data set, missing or damaged files, an unusable image folder
    ├── RecipeError     a recipe that cannot be followed (also a ValueError)
    ├── Diverged        the loss is no longer finite
    ├── OutOfMemory     the device has no room for this network and batch size
    └── NoKernels       a fast backend cannot run here, or not this training

The message of each is one line: what is wrong, where, and the way out.
"""

from __future__ import annotations

__all__ = ["DataError", "Diverged", "NoKernels", "OutOfMemory", "RecipeError", "TrainerError"]


class TrainerError(Exception):
    """The base of every error that the trainer raises on purpose; its message is one line."""


class DataError(TrainerError):
    """A data set that is unknown, missing, damaged or cannot be split."""


class RecipeError(TrainerError, ValueError):
    """A recipe with an unknown key, or with a value that a key does not take."""


class Diverged(TrainerError):
    """A training whose loss became infinite or not a number.

    Attributes:
        epoch: the epoch, from 0, in which it happened.
    """

    def __init__(self, epoch: int) -> None:
        super().__init__(epoch)  # the only argument, so that pickling carries it between processes
        self.epoch = epoch

    def __str__(self) -> str:
        return f"the loss was no longer finite in epoch {self.epoch}; lower the learning rate"


class OutOfMemory(TrainerError):
    """A training for which the device has not enough memory."""


class NoKernels(TrainerError):
    """A fast backend that cannot train a network here.

    This machine has no compiled kernels, or the kernels do not support the network, or a CUDA graph
    cannot record the optimizer.
    """

"""Choosing what computes the steps of a training."""

from __future__ import annotations

import warnings
from enum import StrEnum
from functools import cache

import torch
from torch import nn

from trainer.compiled_step import CompiledStep
from trainer.errors import NoKernels
from trainer.kernels import load_kernels
from trainer.recipe import Recipe
from trainer.step import Step, TrainingStep
from trainer.tracing import Shape
from trainer.weights import FlatWeights

__all__ = ["Path", "make_step"]


class Path(StrEnum):
    """What computes the steps: all paths agree to rounding, dropout's draws apart.

    EAGER is torch's own modules and autograd, on every device. COMPILED is kernels of ours that
    are built once for the processor at hand.
    """

    EAGER = "eager"
    COMPILED = "compiled"


def make_step(
    network: nn.Module,
    weights: FlatWeights,
    recipe: Recipe,
    shape: Shape,
    path: Path | None = None,
) -> tuple[Step, Path]:
    """Returns the step of a path, by default of the fastest that is there.

    Where there are no compiled kernels for a CPU, a warning says so, once in a process.

    Raises:
        NoKernels: if the path was asked for and cannot be had.
    """
    device = weights.vector.device
    if path is Path.COMPILED and device.type != "cpu":
        raise NoKernels(f"there are no compiled kernels for {device}")
    if path is Path.EAGER or device.type != "cpu":
        return TrainingStep(network, weights, recipe), Path.EAGER
    try:
        return CompiledStep(network, weights, recipe, shape), Path.COMPILED
    except NoKernels as error:
        if path is Path.COMPILED:
            raise
        _warn_once(str(error))
        return TrainingStep(network, weights, recipe), Path.EAGER


@cache
def _warn_once(reason: str) -> None:
    warnings.warn(f"training without compiled kernels: {reason}", stacklevel=2)


def explain_path(device: torch.device) -> str:
    """Returns why a device has no fast path, or nothing where it has one."""
    if device.type != "cpu":
        return ""
    try:
        load_kernels()
    except NoKernels as error:
        return str(error)
    return ""

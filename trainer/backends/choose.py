"""Choose the backend that computes the steps of a training."""

from __future__ import annotations

import warnings
from enum import StrEnum
from functools import cache

import torch
from torch import nn

from trainer.backends.base import TrainingStep
from trainer.backends.compiled import CompiledStep
from trainer.backends.cuda_graph import GraphStep
from trainer.backends.eager import EagerStep
from trainer.errors import NoKernels
from trainer.native.library import load_kernels, named_activations
from trainer.native.program import Shape
from trainer.native.tracing import trace
from trainer.optim.optimizers import OPTIMIZERS
from trainer.recipe import Recipe
from trainer.weights import FlatWeights

__all__ = ["Backend", "has_kernels", "make_step", "prepare_backend"]


class Backend(StrEnum):
    """A way to compute the steps; all agree to rounding, except for dropout's random draws.

    EAGER is torch's own modules and autograd, on every device. COMPILED is flyweight's kernels,
    built once for the processor at hand. GRAPH is a CUDA graph of the eager step.
    """

    EAGER = "eager"
    COMPILED = "compiled"
    GRAPH = "graph"


# A shorter training is over before the recording of a graph has repaid itself: an estimate.
_STEPS_THAT_REPAY_A_GRAPH = 200


def make_step(
    network: nn.Module,
    weights: FlatWeights,
    recipe: Recipe,
    shape: Shape,
    steps_per_epoch: int,
    backend: Backend | None = None,
) -> tuple[TrainingStep, Backend]:
    """Make the step of a backend, by default of the fastest one for this device and recipe.

    Where there are no compiled kernels for a CPU, a warning says so, once in a process.

    Args:
        network: in training mode, on its device.
        weights: the network's parameters as one vector.
        recipe: how to train.
        shape: of an image.
        steps_per_epoch: batches in an epoch.
        backend: None for the fastest.

    Raises:
        NoKernels: if the backend was asked for and cannot train this here.
    """
    kind = weights.vector.device.type
    if backend in (Backend.COMPILED, Backend.GRAPH) and kind != _DEVICE_OF[backend]:
        raise NoKernels(
            f"the {backend} backend runs on {_DEVICE_OF[backend]}, not on {kind}; use eager"
        )
    if backend is Backend.GRAPH or (
        backend is None and kind == "cuda" and _repays_a_graph(recipe, steps_per_epoch)
    ):
        return GraphStep(network, weights, recipe, steps_per_epoch), Backend.GRAPH
    if backend is Backend.EAGER or kind != "cpu":
        return EagerStep(network, weights, recipe), Backend.EAGER
    try:
        return CompiledStep(network, weights, recipe, shape), Backend.COMPILED
    except NoKernels as error:
        if backend is Backend.COMPILED:
            raise
        _warn_once(str(error))
        return EagerStep(network, weights, recipe), Backend.EAGER


def _repays_a_graph(recipe: Recipe, steps_per_epoch: int) -> bool:
    recordable = OPTIMIZERS[recipe.optimizer].make_flat is not None
    return recordable and recipe.epochs * steps_per_epoch >= _STEPS_THAT_REPAY_A_GRAPH


_DEVICE_OF = {Backend.COMPILED: "cpu", Backend.GRAPH: "cuda"}


def has_kernels(network: nn.Module, shape: Shape) -> bool:
    """Return whether the compiled kernels support a network; they need not be built.

    Args:
        network: on the CPU; it is left as it is.
        shape: of an image.
    """
    try:
        trace(network, shape, named_activations())
    except NoKernels:
        return False
    return True


@cache
def _warn_once(reason: str) -> None:
    warnings.warn(f"training without compiled kernels: {reason}", stacklevel=2)


def prepare_backend(device: torch.device) -> str:
    """Build what the fast backend of a device needs, which may take some seconds the first time.

    Returns:
        Why there is no fast backend; an empty string if there is one.
    """
    if device.type != "cpu":
        return ""
    try:
        load_kernels()
    except NoKernels as error:
        return str(error)
    return ""

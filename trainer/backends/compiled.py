"""The compiled backend: a step by kernels built for the processor at hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from trainer.backends.base import Update
from trainer.native.network import CompiledNetwork
from trainer.native.program import Shape
from trainer.optim.schedules import Rates
from trainer.randomness import derived_seed
from trainer.recipe import Recipe
from trainer.weights import FlatWeights

__all__ = ["CompiledStep"]


class CompiledStep:
    """Forward, backward and update for one batch on the CPU, and inference.

    Dropout draws from its own random sequence, which the recipe's seed starts.

    Args:
        network: on the CPU.
        weights: the network's parameters as one vector.
        recipe: gives optimizer, loss, clipping, batch size and seed.
        shape: of an image.

    Raises:
        NoKernels: if this machine has no kernels, or none for what the network does.
    """

    def __init__(
        self, network: nn.Module, weights: FlatWeights, recipe: Recipe, shape: Shape
    ) -> None:
        # The last batch of an epoch may have one image more.
        images, threads = recipe.batch_size + 1, torch.get_num_threads()
        gradients = weights.make_gradient()
        self._network = CompiledNetwork(network, shape, gradients, images, threads)

        def without_dropout() -> CompiledNetwork:
            with _no_dropout(network) as drops:
                if not drops:
                    return self._network
                return CompiledNetwork(network, shape, gradients, images, threads)

        self._make_observer = without_dropout
        self._observer: CompiledNetwork | None = None
        self._gradient = weights.vector.grad
        self._update = Update(weights, recipe)
        self._recipe = recipe
        self._steps = 0

    def __call__(self, pixels: Tensor, labels: Tensor, rates: Rates) -> tuple[Tensor, Tensor]:
        """Take one step; see :class:`trainer.backends.base.TrainingStep`."""
        seed = derived_seed(self._recipe.seed, f"dropout {self._steps}")
        self._steps += 1
        assert self._gradient is not None
        self._gradient.zero_()
        figures = self._network.forward_backward(pixels, labels, seed, self._recipe.label_smoothing)
        self._update(rates)
        return figures

    def infer(self, pixels: Tensor) -> Tensor:
        """Return the logits (n, classes) of normalised images in evaluation mode."""
        return self._network.infer(pixels)

    def observe(self, pixels: Tensor) -> None:
        """Show images to the norms; see :class:`trainer.backends.base.TrainingStep`."""
        if self._observer is None:
            self._observer = self._make_observer()
        self._observer.forward(pixels, seed=0)


@contextmanager
def _no_dropout(network: nn.Module) -> Iterator[bool]:
    """Set all rates of dropout to 0 in the block; give whether there were any above 0."""
    drops = [each for each in network.modules() if isinstance(each, nn.Dropout | nn.Dropout2d)]
    rates = [each.p for each in drops]
    for each in drops:
        each.p = 0.0
    try:
        yield any(rates)
    finally:
        for each, rate in zip(drops, rates, strict=True):
            each.p = rate

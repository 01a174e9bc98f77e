"""The compiled backend: a step by kernels built for the processor at hand."""

from __future__ import annotations

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

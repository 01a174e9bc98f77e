"""The eager backend: a step by torch's own modules and autograd."""

from __future__ import annotations

from torch import Tensor, nn

from trainer.backends.base import Update, backward, count_correct, mean_loss
from trainer.optim.schedules import Rates
from trainer.recipe import Recipe
from trainer.weights import FlatWeights

__all__ = ["EagerStep"]


class EagerStep:
    """Forward, backward and update for one batch, on any device, and inference.

    Args:
        network: in training mode, on its device.
        weights: the network's parameters as one vector.
        recipe: gives optimizer, loss and clipping.
    """

    def __init__(self, network: nn.Module, weights: FlatWeights, recipe: Recipe) -> None:
        self._network = network
        self._weights = weights
        self._recipe = recipe
        self._update = Update(weights, recipe)

    def __call__(self, pixels: Tensor, labels: Tensor, rates: Rates) -> tuple[Tensor, Tensor]:
        """Take one step; see :class:`trainer.backends.base.TrainingStep`."""
        logits = self._network(pixels)
        loss = mean_loss(logits, labels, self._recipe)
        backward(loss, self._weights)
        self._update(rates)
        return loss.detach(), count_correct(logits, labels)

    def infer(self, pixels: Tensor) -> Tensor:
        """Return the logits (n, classes) of normalised images, in the network's present mode."""
        logits: Tensor = self._network(pixels)
        return logits

    def observe(self, pixels: Tensor) -> None:
        """Show images to the norms; see :class:`trainer.backends.base.TrainingStep`."""
        self._network(pixels)

"""The interface of a training step, and what backends share: loss, gradient and update."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainer.optim.optimizers import make_optimizer, set_rates
from trainer.optim.schedules import Rates
from trainer.recipe import Recipe
from trainer.weights import FlatWeights

__all__ = ["TrainingStep", "Update", "add_penalty", "backward", "count_correct", "mean_loss"]


class TrainingStep(Protocol):
    """One batch's forward, backward and update, and the network's logits for evaluation."""

    def __call__(self, pixels: Tensor, labels: Tensor, rates: Rates) -> tuple[Tensor, Tensor]:
        """Take one step.

        Args:
            pixels: (n, c, h, w), normalised.
            labels: (n,).
            rates: of this step.

        Returns:
            The batch's mean loss and its number of correct predictions, both 0-d and on the device.
        """
        ...

    def infer(self, pixels: Tensor) -> Tensor:
        """Return the logits (n, classes) of normalised images (n, c, h, w) in evaluation mode."""
        ...

    def observe(self, pixels: Tensor) -> None:
        """Show normalised images (n, c, h, w), at most a batch, to the norms, without dropout.

        The caller has put the norms alone into training mode; their running statistics follow.
        """
        ...


class Update:
    """The update of the weights along their gradient, by the recipe's optimizer.

    Args:
        weights: the network's parameters as one vector, which holds the gradient.
        recipe: gives optimizer, L1 penalty and clipping.
    """

    def __init__(self, weights: FlatWeights, recipe: Recipe) -> None:
        self._vector = weights.vector
        self._clip = recipe.gradient_clip
        self._l1 = recipe.l1
        self._optimizer = make_optimizer(recipe, weights)

    def __call__(self, rates: Rates) -> None:
        """Add the penalty, clip the gradient and update with the rates of this step."""
        if self._l1:
            assert self._vector.grad is not None
            add_penalty(self._vector.grad, self._vector, self._l1)
        if self._clip:
            nn.utils.clip_grad_norm_([self._vector], self._clip)
        set_rates(self._optimizer, rates)
        self._optimizer.step()


def add_penalty(gradient: Tensor, vector: Tensor, l1: float) -> None:
    """Add the gradient of ``l1`` times the sum of the absolute values of a vector, in place.

    Where a number is 0 the subgradient is 0, as torch has it.
    """
    gradient.add_(vector.detach().sign(), alpha=l1)


def mean_loss(logits: Tensor, labels: Tensor, recipe: Recipe) -> Tensor:
    """Return the recipe's loss of a batch, 0-d, of logits (n, classes) and labels (n,)."""
    return functional.cross_entropy(logits, labels, label_smoothing=recipe.label_smoothing)


def count_correct(logits: Tensor, labels: Tensor) -> Tensor:
    """Return how many labels (n,) have the largest of their logits (n, classes), 0-d."""
    return (logits.detach().argmax(dim=1) == labels).sum()


def backward(loss: Tensor, weights: FlatWeights) -> None:
    """Set the gradient of a loss, 0-d; parameters that the forward did not use get zeros."""
    gradients = torch.autograd.grad(
        loss, weights.parameters, allow_unused=True, materialize_grads=True
    )
    weights.set_gradient(gradients)

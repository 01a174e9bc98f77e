"""One optimisation step: forward, backward, update."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainer.optim.schedules import Rates
from trainer.recipe import Recipe
from trainer.weights import FlatWeights

__all__ = [
    "Step",
    "TrainingStep",
    "Update",
    "count_right",
    "make_optimizer",
    "mean_loss",
    "set_rates",
]


def make_optimizer(recipe: Recipe, vector: Tensor) -> torch.optim.Optimizer:
    """Returns the recipe's optimizer over one flat parameter vector."""
    rate, decay = recipe.learning_rate, recipe.weight_decay
    match recipe.optimizer:
        case "sgd":
            return torch.optim.SGD(
                [vector],
                lr=rate,
                momentum=recipe.momentum,
                nesterov=recipe.nesterov,
                weight_decay=decay,
                fused=True,
            )
        case "adam":
            kind: type[torch.optim.Adam] = torch.optim.Adam
        case "adamw":
            kind = torch.optim.AdamW
    return kind([vector], lr=rate, betas=(recipe.momentum, 0.999), weight_decay=decay, fused=True)


def set_rates(optimizer: torch.optim.Optimizer, rates: Rates) -> None:
    """Gives the optimizer the learning rate and the momentum (Adam: beta1) of a step."""
    for group in optimizer.param_groups:
        group["lr"] = rates.learning_rate
        if "betas" in group:
            group["betas"] = (rates.momentum, group["betas"][1])
        else:
            group["momentum"] = rates.momentum


def mean_loss(logits: Tensor, labels: Tensor, recipe: Recipe) -> Tensor:
    """Returns the recipe's loss of a batch, 0-d, of logits (n, classes) and labels (n,)."""
    return functional.cross_entropy(logits, labels, label_smoothing=recipe.label_smoothing)


def count_right(logits: Tensor, labels: Tensor) -> Tensor:
    """Returns how many labels (n,) have the largest of their logits (n, classes), 0-d."""
    return (logits.detach().argmax(dim=1) == labels).sum()


class Step(Protocol):
    """One batch's forward, backward and update, and the network's logits for evaluation."""

    def __call__(self, pixels: Tensor, labels: Tensor, rates: Rates) -> tuple[Tensor, Tensor]:
        """Takes one step.

        Args:
            pixels: (n, c, h, w), normalised.
            labels: (n,).
            rates: of this step.

        Returns:
            The batch's mean loss and its number of right answers, both 0-d and on the device.
        """
        ...

    def infer(self, pixels: Tensor) -> Tensor:
        """Returns the logits (n, classes) of normalised images (n, c, h, w) in evaluation mode."""
        ...


class Update:
    """Moves the weights by their gradient.

    Args:
        weights: the network's parameters as one vector, which holds the gradient.
        recipe: gives optimizer and clipping.
    """

    def __init__(self, weights: FlatWeights, recipe: Recipe) -> None:
        self._vector = weights.vector
        self._clip = recipe.gradient_clip
        self._optimizer = make_optimizer(recipe, weights.vector)

    def __call__(self, rates: Rates) -> None:
        """Clips and updates with the rates of this step."""
        if self._clip:
            nn.utils.clip_grad_norm_([self._vector], self._clip)
        set_rates(self._optimizer, rates)
        self._optimizer.step()


class TrainingStep:
    """The eager path: a step by torch's own modules and autograd.

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
        """Takes one step; see :class:`Step`."""
        logits = self._network(pixels)
        loss = mean_loss(logits, labels, self._recipe)
        # Parameters that this forward did not use get zeros.
        gradients = torch.autograd.grad(
            loss, self._weights.parameters, allow_unused=True, materialize_grads=True
        )
        self._weights.set_gradient(gradients)
        self._update(rates)
        return loss.detach(), count_right(logits, labels)

    def infer(self, pixels: Tensor) -> Tensor:
        """Returns the logits (n, classes) of normalised images, in the network's present mode."""
        logits: Tensor = self._network(pixels)
        return logits

"""One optimisation step: forward, backward, update."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainer.recipe import Recipe
from trainer.schedule import Rates
from trainer.weights import FlatWeights

__all__ = ["TrainingStep", "make_optimizer", "set_rates"]


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


class TrainingStep:
    """Forward, backward and update for one batch.

    Args:
        network: in training mode, on its device.
        weights: the network's parameters as one vector.
        recipe: gives optimizer, loss and clipping.
    """

    def __init__(self, network: nn.Module, weights: FlatWeights, recipe: Recipe) -> None:
        self._network = network
        self._weights = weights
        self._recipe = recipe
        self._optimizer = make_optimizer(recipe, weights.vector)

    def __call__(self, pixels: Tensor, labels: Tensor, rates: Rates) -> tuple[Tensor, Tensor]:
        """Takes one step.

        Args:
            pixels: (n, c, h, w), normalised.
            labels: (n,).
            rates: of this step.

        Returns:
            The batch's mean loss and its number of right answers, both 0-d and on the device.
        """
        logits = self._network(pixels)
        loss = functional.cross_entropy(
            logits, labels, label_smoothing=self._recipe.label_smoothing
        )
        # Parameters that this forward did not use get zeros.
        gradients = torch.autograd.grad(
            loss, self._weights.parameters, allow_unused=True, materialize_grads=True
        )
        self._weights.set_gradient(gradients)
        if self._recipe.gradient_clip:
            nn.utils.clip_grad_norm_([self._weights.vector], self._recipe.gradient_clip)
        set_rates(self._optimizer, rates)
        self._optimizer.step()
        return loss.detach(), (logits.detach().argmax(dim=1) == labels).sum()

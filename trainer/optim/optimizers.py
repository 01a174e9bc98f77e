"""The optimizers that a recipe can name.

An optimizer is one entry of :data:`OPTIMIZERS`; whatever names, checks or makes optimizers reads
that table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import torch

from trainer.optim.flat import FlatAdam, FlatOptimizer, FlatSgd
from trainer.optim.muon import FlatMuon, Muon
from trainer.optim.schedules import Rates
from trainer.weights import FlatWeights

__all__ = ["OPTIMIZERS", "OptimizerEntry", "OptimizerSettings", "make_optimizer", "set_rates"]


class OptimizerSettings(Protocol):
    """The keys of a recipe that optimizers read; :class:`trainer.Recipe` explains them."""

    @property
    def optimizer(self) -> str: ...  # noqa: D102
    @property
    def learning_rate(self) -> float: ...  # noqa: D102
    @property
    def momentum(self) -> float: ...  # noqa: D102
    @property
    def nesterov(self) -> bool: ...  # noqa: D102
    @property
    def weight_decay(self) -> float: ...  # noqa: D102


@dataclass(frozen=True)
class OptimizerEntry:
    """One optimizer.

    Attributes:
        name: what a recipe calls it.
        make: makes an optimizer over the weights' one flat vector, (n,), from the recipe.
        make_flat: makes the same update in the form that a CUDA graph records; None where there
            is no such form, and then the graph backend is not used.
        nesterov: whether it can take Nesterov momentum.
    """

    name: str
    make: Callable[[FlatWeights, OptimizerSettings], torch.optim.Optimizer]
    make_flat: Callable[[FlatWeights, OptimizerSettings], FlatOptimizer] | None = None
    nesterov: bool = False


def make_optimizer(settings: OptimizerSettings, weights: FlatWeights) -> torch.optim.Optimizer:
    """Return the recipe's optimizer over the weights' one flat vector."""
    return OPTIMIZERS[settings.optimizer].make(weights, settings)


def set_rates(optimizer: torch.optim.Optimizer, rates: Rates) -> None:
    """Set the learning rate and the momentum (Adam: beta1) of an optimizer for a step."""
    for group in optimizer.param_groups:
        group["lr"] = rates.learning_rate
        if "betas" in group:
            group["betas"] = (rates.momentum, group["betas"][1])
        elif "momentum" in group:
            group["momentum"] = rates.momentum


def _sgd(weights: FlatWeights, settings: OptimizerSettings) -> torch.optim.Optimizer:
    return torch.optim.SGD(
        [weights.vector],
        lr=settings.learning_rate,
        momentum=settings.momentum,
        nesterov=settings.nesterov,
        weight_decay=settings.weight_decay,
        fused=True,
    )


def _adam(
    kind: type[torch.optim.Adam],
) -> Callable[[FlatWeights, OptimizerSettings], torch.optim.Adam]:
    def make(weights: FlatWeights, settings: OptimizerSettings) -> torch.optim.Adam:
        return kind(
            [weights.vector],
            lr=settings.learning_rate,
            betas=(settings.momentum, 0.999),
            weight_decay=settings.weight_decay,
            fused=True,
        )

    return make


def _muon(weights: FlatWeights, settings: OptimizerSettings) -> torch.optim.Optimizer:
    return Muon(
        weights.vector,
        weights.filter_matrices(),
        lr=settings.learning_rate,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
    )


def _flat_sgd(weights: FlatWeights, settings: OptimizerSettings) -> FlatSgd:
    return FlatSgd(weights.vector, settings.weight_decay, settings.nesterov)


def _flat_adam(decoupled: bool) -> Callable[[FlatWeights, OptimizerSettings], FlatAdam]:
    return lambda weights, settings: FlatAdam(weights.vector, settings.weight_decay, decoupled)


def _flat_muon(weights: FlatWeights, settings: OptimizerSettings) -> FlatMuon:
    return FlatMuon(weights.vector, weights.filter_matrices(), settings.weight_decay)


_ENTRIES = (
    OptimizerEntry("sgd", _sgd, _flat_sgd, nesterov=True),
    OptimizerEntry("adam", _adam(torch.optim.Adam), _flat_adam(decoupled=False)),
    OptimizerEntry("adamw", _adam(torch.optim.AdamW), _flat_adam(decoupled=True)),
    OptimizerEntry("muon", _muon, _flat_muon),
)

OPTIMIZERS: Mapping[str, OptimizerEntry] = MappingProxyType(
    {entry.name: entry for entry in _ENTRIES}
)
"""Every optimizer by its name."""

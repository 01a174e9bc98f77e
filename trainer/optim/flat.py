"""Optimizer updates of one flat vector whose rates are numbers on the device.

A CUDA graph records a Python number once for all of its replays, but a one-cycle schedule changes
rate and momentum at every step. Torch's SGD takes its momentum as a Python number only. The newest
releases' Adam takes tensors as betas, but finds the bias corrections in the precision of the
device. These updates read all that changes from one tensor, whose numbers are computed on the host
in double precision, and never wait for the device. They follow torch's formulas, so the weights
are those of :class:`torch.optim.SGD`, :class:`torch.optim.Adam` and :class:`torch.optim.AdamW`
but for rounding.
"""

from __future__ import annotations

from math import sqrt
from typing import Protocol

import torch
from torch import Tensor

from trainer.optim.schedules import Rates

__all__ = ["FlatAdam", "FlatOptimizer", "FlatSgd"]

_BETA2 = 0.999
_EPSILON = 1e-8


class FlatOptimizer(Protocol):
    """An update that moves one vector of parameters along its gradients."""

    @property
    def state(self) -> tuple[Tensor, ...]:
        """Return all that :meth:`update` changes, with the parameters; always the same tensors."""

    def scalars(self, step: int, rates: Rates) -> tuple[float, ...]:
        """Return the numbers that :meth:`update` needs for one step, always equally many.

        Args:
            step: from 0, counted over the whole training.
            rates: of this step.
        """

    def update(self, gradient: Tensor, scalars: Tensor) -> None:
        """Take one step.

        Args:
            gradient: of the parameters, (n,); it is not changed.
            scalars: (k,), what :meth:`scalars` gave, on the device and of the parameters' type.
        """


class FlatSgd:
    """Stochastic gradient descent with momentum (Sutskever et al., 2013, ICML 28).

    With gradient g (plus ``weight_decay`` w), rate r and momentum m: v ← m v + g and
    w ← w - r v; Nesterov's form is w ← w - r (g + m v). As in torch, the rate multiplies the
    velocity v, which starts as the first gradient: it is zero before.

    Args:
        vector: the parameters, (n,); changed in place.
        weight_decay: L2, 0 for none.
        nesterov: whether to take Nesterov's form.
    """

    def __init__(self, vector: Tensor, weight_decay: float, nesterov: bool) -> None:
        self._vector = vector.detach()
        self._velocity = torch.zeros_like(self._vector)
        self._weight_decay = weight_decay
        self._nesterov = nesterov

    @property
    def state(self) -> tuple[Tensor, ...]:
        """Return the parameters and the velocity."""
        return self._vector, self._velocity

    def scalars(self, step: int, rates: Rates) -> tuple[float, ...]:
        """Return rate and momentum."""
        return rates.learning_rate, rates.momentum

    def update(self, gradient: Tensor, scalars: Tensor) -> None:
        """Take one step."""
        rate, momentum = scalars.unbind()
        if self._weight_decay:
            gradient = gradient.add(self._vector, alpha=self._weight_decay)
        direction = torch.addcmul(gradient, self._velocity, momentum, out=self._velocity)
        if self._nesterov:
            direction = torch.addcmul(gradient, direction, momentum)
        self._vector.addcmul_(direction, rate, value=-1)


class FlatAdam:
    """Adam (Kingma & Ba, 2014, arXiv 1412.6980) or AdamW (Loshchilov & Hutter, 2017, 1711.05101).

    With gradient g, rate r and step t from 1: m ← β₁ m + (1 - β₁) g, v ← β₂ v + (1 - β₂) g² and
    w ← w - r m / (1 - β₁ᵗ) / (√(v / (1 - β₂ᵗ)) + ε). β₁ is the momentum of the step, also in β₁ᵗ,
    β₂ 0.999, ε 1e-8. Adam adds ``weight_decay`` w to g, AdamW first takes w ← (1 - r
    ``weight_decay``) w instead.

    Args:
        vector: the parameters, (n,); changed in place.
        weight_decay: 0 for none.
        decoupled: whether to decay as AdamW does.
    """

    def __init__(self, vector: Tensor, weight_decay: float, decoupled: bool) -> None:
        self._vector = vector.detach()
        self._mean = torch.zeros_like(self._vector)
        self._square = torch.zeros_like(self._vector)
        self._epsilon = self._vector.new_full((), _EPSILON)
        self._weight_decay = weight_decay
        self._decoupled = decoupled

    @property
    def state(self) -> tuple[Tensor, ...]:
        """Return the parameters and the two moments."""
        return self._vector, self._mean, self._square

    def scalars(self, step: int, rates: Rates) -> tuple[float, ...]:
        """Return 1 - β₁, r / (1 - β₁ᵗ), 1 / √(1 - β₂ᵗ) and the factor of a decoupled decay.

        The device would have to find them in single precision, where 1 - β₂ᵗ loses digits.
        """
        rate, beta1 = rates.learning_rate, rates.momentum
        return (
            1 - beta1,
            rate / (1 - beta1 ** (step + 1)),
            1 / sqrt(1 - _BETA2 ** (step + 1)),
            1 - rate * self._weight_decay,
        )

    def update(self, gradient: Tensor, scalars: Tensor) -> None:
        """Take one step."""
        share, rate, correction, decay = scalars.unbind()
        if self._weight_decay and self._decoupled:
            self._vector.mul_(decay)
        elif self._weight_decay:
            gradient = gradient.add(self._vector, alpha=self._weight_decay)
        self._mean.lerp_(gradient, share)
        self._square.mul_(_BETA2).addcmul_(gradient, gradient, value=1 - _BETA2)
        deviation = torch.addcmul(self._epsilon, self._square.sqrt(), correction)
        self._vector.addcmul_(self._mean / deviation, rate, value=-1)

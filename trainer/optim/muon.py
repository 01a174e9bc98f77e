"""Muon: convolutions move by orthogonal matrices, all other weights by AdamW.

It has two forms: torch's, and the one that a CUDA graph records (:mod:`trainer.optim.flat`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from typing import Any

import torch
from torch import Tensor

from trainer.optim.schedules import Rates

__all__ = ["FlatMuon", "Muon"]

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5
_SQUARES_DECAY = 0.999
_ADAM_EPSILON = 1e-8
_NORM_EPSILON = 1e-7
_ADAMS_SIZE = 0.2


class Muon(torch.optim.Optimizer):
    """Muon for some matrices in a vector, AdamW for the rest of it.

    The momentum of a matrix is made nearly orthogonal by five iterations of Newton and Schulz
    (Jordan et al., 2024, https://kellerjordan.github.io/posts/muon), and scaled so that it moves
    the weights about as far as AdamW does (Liu et al., 2025, arXiv 2502.16982): both take the same
    learning rate. The momentum is Nesterov's. It computes in the precision of the vector.

    Args:
        vector: all weights, (n,); a leaf that gets a gradient.
        matrices: for each matrix the places of its numbers in the vector, (rows, columns); may be
            empty.
        lr: learning rate.
        momentum: of the matrices, and AdamW's beta1.
        weight_decay: decoupled.
    """

    def __init__(
        self,
        vector: Tensor,
        matrices: Sequence[Tensor],
        lr: float,
        momentum: float,
        weight_decay: float,
    ) -> None:
        super().__init__([vector], {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        self._vector = vector
        self._mean = torch.zeros_like(vector)
        self._squares = torch.zeros_like(vector)
        self._steps = 0
        self._matrices = _MatrixBatch(vector, matrices) if matrices else None

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Move the vector along its gradient, which must be there; a closure is not taken."""
        assert closure is None
        gradient = self._vector.grad
        assert gradient is not None
        (group,) = self.param_groups
        rate, momentum = group["lr"], group["momentum"]
        self._steps += 1
        self._mean.lerp_(gradient, 1 - momentum)
        self._squares.lerp_(gradient.square(), 1 - _SQUARES_DECAY)
        size = (self._squares / (1 - _SQUARES_DECAY**self._steps)).sqrt_().add_(_ADAM_EPSILON)
        move = (self._mean / (1 - momentum**self._steps)).div_(size)
        if self._matrices is not None:
            self._matrices.put(gradient.lerp(self._mean, momentum), move)
        self._vector.mul_(1 - rate * group["weight_decay"]).add_(move, alpha=-rate)


class FlatMuon:
    """The update of :class:`Muon`, whose rates are numbers on the device.

    Args:
        vector: all weights, (n,); changed in place.
        matrices: for each matrix the places of its numbers in the vector, (rows, columns); may be
            empty.
        weight_decay: decoupled.
    """

    def __init__(self, vector: Tensor, matrices: Sequence[Tensor], weight_decay: float) -> None:
        self._vector = vector.detach()
        self._mean = torch.zeros_like(self._vector)
        self._squares = torch.zeros_like(self._vector)
        self._epsilon = self._vector.new_full((), _ADAM_EPSILON)
        self._weight_decay = weight_decay
        self._matrices = _MatrixBatch(self._vector, matrices) if matrices else None

    @property
    def state(self) -> tuple[Tensor, ...]:
        """Return the parameters and the two moments."""
        return self._vector, self._mean, self._squares

    def scalars(self, step: int, rates: Rates) -> tuple[float, ...]:
        """Return momentum, its complement, both moments' corrections, rate and decay."""
        rate, momentum = rates.learning_rate, rates.momentum
        return (
            momentum,
            1 - momentum,
            1 / (1 - momentum ** (step + 1)),
            1 / sqrt(1 - _SQUARES_DECAY ** (step + 1)),
            rate,
            1 - rate * self._weight_decay,
        )

    def update(self, gradient: Tensor, scalars: Tensor) -> None:
        """Take one step."""
        momentum, share, unbiased, correction, rate, decay = scalars.unbind()
        self._mean.lerp_(gradient, share)
        self._squares.mul_(_SQUARES_DECAY).addcmul_(gradient, gradient, value=1 - _SQUARES_DECAY)
        size = torch.addcmul(self._epsilon, self._squares.sqrt(), correction)
        move = (self._mean / size).mul_(unbiased)
        if self._matrices is not None:
            self._matrices.put(gradient.lerp(self._mean, momentum), move)
        if self._weight_decay:
            self._vector.mul_(decay)
        self._vector.addcmul_(move, rate, value=-1)


class _MatrixBatch:
    """Matrices in a vector, as one batch of matrices that zeros make equally large.

    Zeros stay zeros in the iterations, and change nothing beside them.

    Args:
        vector: which they lie in.
        matrices: for each the places of its numbers, (rows, columns).
    """

    def __init__(self, vector: Tensor, matrices: Sequence[Tensor]) -> None:
        wide = [places if places.shape[0] <= places.shape[1] else places.T for places in matrices]
        rows, columns = (max(places.shape[axis] for places in wide) for axis in (0, 1))
        in_vector = torch.full((len(wide), rows, columns), vector.numel(), dtype=torch.long)
        for padded, places in zip(in_vector, wide, strict=True):
            padded[: places.shape[0], : places.shape[1]] = places
        in_batch = (in_vector < vector.numel()).flatten().nonzero().squeeze(1)
        sizes = [_ADAMS_SIZE * sqrt(max(places.shape)) for places in wide]
        self._in_vector = in_vector.to(vector.device)
        self._of_vector = in_vector.flatten()[in_batch].to(vector.device)
        self._in_batch = in_batch.to(vector.device)
        self._sizes = vector.new_tensor(sizes).view(-1, 1, 1)
        self._zero = vector.new_zeros(1)

    def put(self, momentum: Tensor, move: Tensor) -> None:
        """Write the moves of the matrices into the move of the vector, both (n,)."""
        batch = torch.cat([momentum, self._zero])[self._in_vector]
        found = orthogonalised(batch).mul_(self._sizes)
        move[self._of_vector] = found.flatten()[self._in_batch]


def orthogonalised(batch: Tensor) -> Tensor:
    """Return matrices with the same singular vectors, whose singular values are near 1.

    Args:
        batch: (n, rows, columns), no more rows than columns.

    Returns:
        The same shape. Singular values other than 0 come to about 0.7 to 1.2; a matrix of zeros
        stays one.
    """
    linear, cubic, quintic = _COEFFICIENTS
    found: Tensor = batch / batch.norm(dim=(1, 2), keepdim=True).clamp(min=_NORM_EPSILON)
    for _ in range(_ITERATIONS):
        gram = found @ found.mT
        found = torch.baddbmm(
            found, torch.baddbmm(gram, gram, gram, beta=cubic, alpha=quintic), found, beta=linear
        )
    return found

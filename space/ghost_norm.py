"""Batch normalisation over parts of a batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["GhostBatchNorm2d"]


class GhostBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation over parts of each batch (Hoffer et al., 2017, arXiv 1705.08741).

    In training, image ``i`` is normalised by the mean and variance of the images whose number
    leaves the same rest when divided by the number of parts, as in D. Page's "How to Train Your
    ResNet". The running statistics follow the mean of the parts' statistics. In evaluation, and in
    a state dict, it is :class:`torch.nn.BatchNorm2d`.

    Args:
        channels: of the maps.
        parts: into how many parts a batch is divided, at least 1. A batch of fewer than twice as
            many images is one part.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor
    momentum: float

    def __init__(self, channels: int, parts: int) -> None:
        super().__init__(channels)
        self.parts = parts

    def extra_repr(self) -> str:
        """Add the number of parts."""
        return f"{self.num_features}, parts={self.parts}"

    def forward(self, maps: Tensor) -> Tensor:
        """Normalise maps (n, channels, height, width)."""
        if not self.training:
            return super().forward(maps)
        parts = self.parts if len(maps) >= 2 * self.parts else 1
        means, variances = self.running_mean.new_zeros(2, parts, self.num_features)
        if len(maps) % parts:
            normalised = self._of_unequal_parts(maps, means, variances)
        else:
            # The channels of the parts stand side by side, so that one call normalises all.
            side_by_side = maps.reshape(-1, parts * self.num_features, *maps.shape[2:])
            scale = None if self.weight is None else self.weight.repeat(parts)
            shift = self.bias.repeat(parts)
            normalised = self._normalised(side_by_side, means, variances, scale, shift).view_as(
                maps
            )
        with torch.no_grad():
            self.running_mean.lerp_(means.mean(0), self.momentum)
            self.running_var.lerp_(variances.mean(0), self.momentum)
            self.num_batches_tracked.add_(1)
        return normalised

    def _of_unequal_parts(self, maps: Tensor, means: Tensor, variances: Tensor) -> Tensor:
        """Normalise maps whose number the parts do not divide: the first parts get one more."""
        parts = len(means)
        rest = maps[len(maps) - len(maps) % parts :]
        whole = maps[: len(maps) - len(rest)].view(-1, parts, *maps.shape[1:])
        done: Sequence[Tensor] = [
            self._normalised(
                torch.cat((whole[:, part], rest[part : part + 1])),
                means[part],
                variances[part],
                self.weight,
                self.bias,
            )
            for part in range(parts)
        ]
        each = len(whole)
        return torch.cat(
            (
                torch.stack([part[:each] for part in done], 1).flatten(0, 1),
                *(part[each:] for part in done),
            )
        )

    def _normalised(
        self, maps: Tensor, mean: Tensor, variance: Tensor, scale: Tensor | None, shift: Tensor
    ) -> Tensor:
        """Normalise maps by their own statistics, and write these."""
        # With a momentum of 1 the running statistics are those of this batch.
        return functional.batch_norm(
            maps, mean.flatten(), variance.flatten(), scale, shift, True, 1.0, self.eps
        )

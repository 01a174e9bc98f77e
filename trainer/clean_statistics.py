"""The statistics of BatchNorm, measured on images as they are."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from trainer.batches import batch_bounds, normalise
from trainer.data.images import Images, Normalisation
from trainer.metrics import evaluating
from trainer.randomness import derived_seed
from trainer.recipe import Recipe

__all__ = ["CleanStatistics"]


class CleanStatistics:
    """A measurement of means and variances over some training images, always the same ones.

    Running statistics are those of weights that have changed since, and of augmented images.
    These are of the weights that the network holds and of images as they are evaluated.

    Args:
        network: its norms that track running statistics are measured.
        images: the training part.
        normalisation: applied to the images.
        recipe: gives the number of images, the size of a batch and the seed that draws them.
    """

    def __init__(
        self, network: nn.Module, images: Images, normalisation: Normalisation, recipe: Recipe
    ) -> None:
        self._network = network
        self._norms = [
            _Norm(each)
            for each in network.modules()
            if isinstance(each, _BatchNorm) and each.running_mean is not None
        ]
        count = min(max(recipe.clean_statistics, 2), len(images))
        seed = derived_seed(recipe.seed, "clean statistics")
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
        self._pixels = images.pixels[order[:count].to(images.pixels.device)]
        self._normalisation = normalisation
        self._bounds = batch_bounds(count, recipe.batch_size)

    def measure(self, observe: Callable[[Tensor], object]) -> None:
        """Write the statistics into the norms' running ones, in place.

        Within a batch a norm sees maps that the norms before it have normalised with the
        statistics of that batch, as in training.

        Args:
            observe: shows a batch to the network, as
                :meth:`trainer.backends.base.TrainingStep.observe` does.
        """
        if not self._norms:
            return
        tracked = [each.norm.num_batches_tracked for each in self._norms]
        counts = [None if count is None else count.clone() for count in tracked]
        with torch.no_grad(), evaluating(self._network):
            for each in self._norms:
                each.begin()
            for start, stop in self._bounds:
                for each in self._norms:
                    each.clear()
                batch = self._pixels[start:stop].float().div_(255)
                observe(normalise(batch, self._normalisation))
                for each in self._norms:
                    each.add((stop - start) / len(self._pixels))
            for each in self._norms:
                each.finish()
            for now, before in zip(tracked, counts, strict=True):
                if now is not None and before is not None:
                    now.copy_(before)


class _Norm:
    """A norm and the sums of its statistics over batches."""

    def __init__(self, norm: _BatchNorm) -> None:
        self.norm = norm
        self._sums = torch.empty(0)

    def begin(self) -> None:
        mean, _ = self._running()
        self.norm.train()
        # Not in float64, which Apple GPUs do not have.
        self._sums = mean.new_zeros((3, len(mean)))

    def clear(self) -> None:
        for tensor in self._running():
            tensor.zero_()
        if self.norm.num_batches_tracked is not None:
            self.norm.num_batches_tracked.zero_()

    def add(self, weight: float) -> None:
        mean, variance = (tensor / self._moved() for tensor in self._running())
        self._sums += weight * torch.stack((mean, mean.square(), variance))

    def finish(self) -> None:
        mean, square, within = self._sums
        running_mean, running_variance = self._running()
        running_mean.copy_(mean)
        running_variance.copy_(within + (square - mean.square()).clamp_min_(0.0))

    def _moved(self) -> Tensor | float:
        """Return which part of the way from 0 the statistics have come in one batch.

        A norm that is applied several times has moved as often.
        """
        momentum, times = self.norm.momentum, self.norm.num_batches_tracked
        if momentum is None or times is None:
            return 1.0 if momentum is None else momentum
        moved: Tensor = 1 - (1 - momentum) ** times.float()
        return moved

    def _running(self) -> tuple[Tensor, Tensor]:
        mean, variance = self.norm.running_mean, self.norm.running_var
        assert mean is not None
        assert variance is not None
        return mean, variance

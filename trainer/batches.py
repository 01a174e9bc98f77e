"""The training batches of one epoch: shuffled, augmented and normalised on the device."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import torch
from torch import Tensor

from trainer.augment import Augmenter, AugmentStep
from trainer.data.images import Images, Normalisation
from trainer.randomness import derived_seed
from trainer.recipe import Recipe

__all__ = ["Batches", "batch_bounds", "normalise"]

_CHUNK_IMAGES = 1024


def normalise(pixels: Tensor, normalisation: Normalisation) -> Tensor:
    """Shift and scale floats (n, c, h, w) in [0, 1] to mean 0 and deviation 1 per channel.

    Returns:
        (n, c, h, w), channels last in memory. The strides say so even for one
        channel, where torch could not tell otherwise: convolutions then compute the same, to the
        last bit, in whichever order their weights lie.
    """
    mean, std = _constants(normalisation, pixels.dtype, pixels.device)
    pixels = (pixels - mean).div_(std).contiguous(memory_format=torch.channels_last)
    _, channels, height, width = pixels.shape
    row = width * channels
    return pixels.as_strided(pixels.shape, (height * row, 1, row, channels))


@lru_cache(maxsize=32)
def _constants(
    normalisation: Normalisation, dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Return mean and deviation, (1, c, 1, 1), which are copied to the device only once."""
    # Tensors that are made under inference mode could not be used outside of it.
    with torch.inference_mode(False):
        mean, std = (
            torch.tensor(values, dtype=dtype, device=device).view(1, -1, 1, 1)
            for values in (normalisation.mean, normalisation.std)
        )
    return mean, std


class Batches:
    """An epoch's batches, in a new order every time they are iterated.

    Images are augmented in chunks of several batches, which costs fewer calls. The shuffling and
    the augmentation follow the recipe's seed alone.

    Args:
        images: the training part, on the device that trains.
        normalisation: applied to every batch.
        recipe: gives batch size, augmentation and seed.
    """

    def __init__(self, images: Images, normalisation: Normalisation, recipe: Recipe) -> None:
        device = images.pixels.device
        channels, height, width = images.pixels.shape[1:]
        self._images = images
        self._normalisation = normalisation
        self._shape = (channels, height, width)
        self._steps = recipe.augment
        self._steps_now = self._steps_at(0.0)
        self._augment = Augmenter(self._steps_now, self._shape)
        self._epochs, self._begun = recipe.epochs, 0
        seed = derived_seed(recipe.seed, "batches")
        self._generator = torch.Generator(device=device).manual_seed(seed)
        self._cuts = batch_bounds(len(images), recipe.batch_size)
        self._cuts_per_chunk = max(1, _CHUNK_IMAGES // recipe.batch_size)

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return len(self._cuts)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (pixels (n, c, h, w) float32, labels (n,)) in a fresh order on every call."""
        device = self._images.pixels.device
        self._begin_epoch()
        order = torch.randperm(len(self._images), generator=self._generator, device=device)
        for first in range(0, len(self._cuts), self._cuts_per_chunk):
            cuts = self._cuts[first : first + self._cuts_per_chunk]
            start, stop = cuts[0][0], cuts[-1][1]
            pixels, labels = self._chunk(order[start:stop])
            for low, high in cuts:
                yield pixels[low - start : high - start], labels[low - start : high - start]

    def _begin_epoch(self) -> None:
        """Give the augmentation the strength of the epoch that begins."""
        steps = self._steps_at(min(1.0, self._begun / max(1, self._epochs - 1)))
        self._begun += 1
        if steps != self._steps_now:
            self._augment, self._steps_now = Augmenter(steps, self._shape), steps

    def _steps_at(self, progress: float) -> tuple[AugmentStep, ...]:
        return tuple(step.at(progress) for step in self._steps)

    def _chunk(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        pixels = self._images.pixels[indices].float().div_(255)
        pixels = self._augment(pixels, self._generator)
        return normalise(pixels, self._normalisation), self._images.labels[indices]


def batch_bounds(count: int, size: int) -> list[tuple[int, int]]:
    """Return the (start, stop) of each batch; a last one of one image joins the one before.

    BatchNorm cannot train on a single value per channel, which is what one image leaves on 1x1
    maps.
    """
    starts = list(range(0, count, size))
    if len(starts) > 1 and count - starts[-1] == 1:
        starts.pop()
    return list(zip(starts, [*starts[1:], count], strict=True))

"""The training batches of one epoch: shuffled, augmented and normalised on the device."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from trainer.augment import Augmenter
from trainer.data import Images, Normalisation
from trainer.recipe import Recipe

__all__ = ["Batches", "normalise"]

_CHUNK_IMAGES = 1024


def normalise(pixels: Tensor, normalisation: Normalisation) -> Tensor:
    """Shifts and scales floats (n, c, h, w) in [0, 1] to mean 0 and deviation 1 per channel."""
    shape = (1, -1, 1, 1)
    mean = torch.tensor(normalisation.mean, device=pixels.device).view(shape)
    std = torch.tensor(normalisation.std, device=pixels.device).view(shape)
    return (pixels - mean) / std


class Batches:
    """Yields an epoch's batches.

    Images are augmented in chunks of several batches, which costs fewer calls. The shuffling and
    the augmentation follow the recipe's seed alone.

    Args:
        images: the training part, on the device that trains.
        normalisation: of the training part.
        recipe: gives batch size, augmentation and seed.
    """

    def __init__(self, images: Images, normalisation: Normalisation, recipe: Recipe) -> None:
        device = images.pixels.device
        self._images = images
        self._normalisation = normalisation
        self._size = recipe.batch_size
        self._augment = Augmenter(recipe.augment, tuple(images.pixels.shape[1:]))
        self._generator = torch.Generator(device=device).manual_seed(recipe.seed)
        self._cuts = batch_bounds(len(images), recipe.batch_size)

    def __len__(self) -> int:
        """Batches in an epoch."""
        return len(self._cuts)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yields (pixels (n, c, h, w) float32, labels (n,)) in a fresh order on every call."""
        count = len(self._images)
        device = self._images.pixels.device
        order = torch.randperm(count, generator=self._generator, device=device)
        per_chunk = max(1, _CHUNK_IMAGES // self._size)
        for first in range(0, len(self._cuts), per_chunk):
            cuts = self._cuts[first : first + per_chunk]
            start, stop = cuts[0][0], cuts[-1][1]
            pixels, labels = self._chunk(order[start:stop])
            for low, high in cuts:
                yield pixels[low - start : high - start], labels[low - start : high - start]

    def _chunk(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        pixels = self._images.pixels[indices].float().div_(255)
        pixels = self._augment(pixels, self._generator)
        pixels = normalise(pixels, self._normalisation)
        return pixels.contiguous(memory_format=torch.channels_last), self._images.labels[indices]


def batch_bounds(count: int, size: int) -> list[tuple[int, int]]:
    """Returns the (start, stop) of each batch; a last one of one image joins the one before.

    BatchNorm cannot train on a single value per channel, which is what one image leaves on 1x1
    maps.
    """
    starts = list(range(0, count, size))
    if len(starts) > 1 and count - starts[-1] == 1:
        starts.pop()
    return list(zip(starts, [*starts[1:], count], strict=True))

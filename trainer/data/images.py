"""Labelled images as two tensors, and the mean and deviation of their pixels."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.errors import DataError
from trainer.words import plural

__all__ = ["Images", "Normalisation", "normalisation"]

_SMALLEST_STD = 1 / 255


@dataclass(frozen=True, eq=False)
class Images:
    """Labelled images, whole, on one device.

    Attributes:
        pixels: uint8, shape (n, channels, height, width), 0 to 255.
        labels: int64, shape (n,), the index of each image's class.

    Raises:
        DataError: if the tensors have other types or shapes, or lie on two devices.
    """

    pixels: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        pixels, labels = self.pixels, self.labels
        if pixels.dtype != torch.uint8 or pixels.ndim != 4:
            raise DataError(f"pixels must be uint8 of shape (n, c, h, w), not {_describe(pixels)}")
        if labels.dtype != torch.int64 or labels.ndim != 1:
            raise DataError(f"labels must be int64 of shape (n,), not {_describe(labels)}")
        if len(pixels) != len(labels):
            raise DataError(
                f"{plural(len(pixels), 'image has', 'images have')} "
                f"{plural(len(labels), 'label')}; give one label per image"
            )
        if pixels.device != labels.device:
            raise DataError(
                f"pixels are on {pixels.device} and labels on {labels.device}; "
                "move both to one device"
            )

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return the channels, height and width of an image."""
        channels, height, width = self.pixels.shape[1:]
        return channels, height, width

    def to(self, device: torch.device | str) -> Images:
        """Return the same images on a device; nothing is copied when they are there already."""
        return Images(self.pixels.to(device), self.labels.to(device))

    def subset(self, indices: Tensor) -> Images:
        """Return the images at `indices` (int64, shape (k,)), in that order, as a copy."""
        indices = indices.to(self.labels.device)
        return Images(self.pixels[indices], self.labels[indices])


@dataclass(frozen=True)
class Normalisation:
    """Mean and standard deviation per channel, of pixels scaled to [0, 1].

    Attributes:
        mean: one for each channel.
        std: one for each channel, above 0.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def identity(cls, channels: int) -> Normalisation:
        """Return mean 0 and deviation 1, which change no pixel."""
        return cls((0.0,) * channels, (1.0,) * channels)


def normalisation(images: Images) -> Normalisation:
    """Measure the mean and the population standard deviation of each channel.

    Pixels are counted, not summed, so the result is the same on every device. A channel without
    contrast gets one pixel step (1/255) as its deviation, so that dividing by it is safe.

    Args:
        images: at least one.

    Returns:
        Mean and deviation per channel, of pixels scaled to [0, 1].

    Raises:
        DataError: if there are no images.
    """
    if not len(images):
        raise DataError("there are no images to measure; give at least one")
    channels = [_mean_and_std(images.pixels[:, c]) for c in range(images.pixels.shape[1])]
    return Normalisation(tuple(mean for mean, _ in channels), tuple(std for _, std in channels))


def _mean_and_std(pixels: Tensor) -> tuple[float, float]:
    # Some at a time, for each count needs more memory than the pixels themselves.
    some = (torch.bincount(part.flatten(), minlength=256) for part in torch.split(pixels, 1_000))
    counts: list[int] = torch.stack(list(some)).sum(dim=0).tolist()
    total = sum(counts)
    mean = sum(value * count for value, count in enumerate(counts)) / total
    variance = sum((value - mean) ** 2 * count for value, count in enumerate(counts)) / total
    return mean / 255, max(variance**0.5 / 255, _SMALLEST_STD)


def _describe(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} of shape {tuple(tensor.shape)}"

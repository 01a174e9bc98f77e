"""The augmentation step that changes brightness and contrast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from torch import Tensor

from trainer.augment.base import PixelStep, StrengthRanges
from trainer.ranges import Range

__all__ = ["Colour"]


@dataclass(frozen=True)
class Colour(PixelStep):
    """Brightness, then contrast, as :class:`torchvision.transforms.ColorJitter` changes them.

    Drawn for an image: the factors of brightness and contrast.

    Attributes:
        brightness: pixels are multiplied by a factor uniform in ``[max(0, 1 - b), 1 + b]``.
        contrast: pixels' distances from the mean grey of their image, likewise.

    Raises:
        RecipeError: if a value is outside the range of its annotation.
    """

    kind: ClassVar[str] = "colour"
    brightness: Annotated[float, Range(0.0, 10.0)] = 0.0
    contrast: Annotated[float, Range(0.0, 10.0)] = 0.0

    @property
    def changes_something(self) -> bool:
        """Return whether brightness or contrast can change."""
        return bool(self.brightness or self.contrast)

    def strength_ranges(self, height: int, width: int) -> StrengthRanges:
        """Return the ranges of the two factors."""
        return [(max(0.0, 1 - s), 1 + s) for s in (self.brightness, self.contrast)]

    def apply(self, pixels: Tensor, strengths: Tensor) -> Tensor:
        """Return the changed images."""
        brightness, contrast = strengths[:, :, None, None, None].to(pixels.dtype)
        if self.brightness:
            pixels = (pixels * brightness).clamp_(0.0, 1.0)
        if self.contrast:
            grey = pixels.mean(dim=(2, 3), keepdim=True)
            if grey.shape[1] == 3:
                grey = 0.2989 * grey[:, :1] + 0.587 * grey[:, 1:2] + 0.114 * grey[:, 2:]
            else:
                grey = grey.mean(dim=1, keepdim=True)
            pixels = torch.lerp(grey, pixels, contrast).clamp_(0.0, 1.0)
        return pixels

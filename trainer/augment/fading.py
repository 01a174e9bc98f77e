"""Augmentation steps that fade in the last epochs: hidden squares and elastic distortion."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from trainer.augment.base import AugmentStep, PixelStep, PixelValue, Share, StrengthRanges
from trainer.ranges import Range

__all__ = ["Cutout", "Elastic"]

Pixels: TypeAlias = Annotated[float, Range(0.0, 1_000.0)]


def _strength(fade: float, progress: float) -> float:
    """Return the share of the full strength at a share of the training.

    It falls in a straight line in the first half of the fading part and is 0 in the second.
    """
    into = progress - (1 - fade)
    return 1.0 if into <= 0 else max(0.0, 1 - 2 * into / fade)


@dataclass(frozen=True)
class Cutout(PixelStep):
    """A square of the image hidden (DeVries & Taylor, 2017, arXiv 1708.04552).

    Drawn for an image: the centre of the square along x and along y, anywhere in the image, so
    that a part of the square may lie outside; and a number that is compared with the probability.

    Attributes:
        size: side of the square in pixels; pixels are hidden whose centre lies inside.
        probability: share of the images that are changed at all.
        fill: pixel value from 0 to 255 that is shown instead.
        fade: share of the epochs, the last ones, in which the size falls: to 0 in the middle of
            them, where it stays. 0 for full size up to the end.

    Raises:
        RecipeError: if a value is outside the range of its annotation.
    """

    kind: ClassVar[str] = "cutout"
    size: Pixels = 0.0
    probability: Share = 1.0
    fill: PixelValue = 0.0
    fade: Share = 0.0

    @property
    def changes_something(self) -> bool:
        """Return whether there is a square in any image."""
        return bool(self.size and self.probability)

    def at(self, progress: float) -> AugmentStep:
        """Return the step with the size of an epoch."""
        return replace(self, size=self.size * _strength(self.fade, progress))

    def strength_ranges(self, height: int, width: int) -> StrengthRanges:
        """Return the ranges of the centre and of the number for the probability."""
        return [(0.0, float(width)), (0.0, float(height)), (0.0, 1.0)]

    def apply(self, pixels: Tensor, strengths: Tensor) -> Tensor:
        """Return the changed images."""
        height, width = pixels.shape[-2:]
        x, y, drawn = strengths[:, :, None]
        across = (torch.arange(width, device=pixels.device) + 0.5 - x).abs() < self.size / 2
        down = (torch.arange(height, device=pixels.device) + 0.5 - y).abs() < self.size / 2
        hidden = across[:, None, :] & down[:, :, None] & (drawn < self.probability)[:, :, None]
        return pixels.masked_fill(hidden[:, None], self.fill / 255)


@dataclass(frozen=True)
class Elastic(PixelStep):
    """Elastic distortion (Simard et al., 2003): neighbouring pixels move nearly the same way.

    Drawn for an image: how far each knot of a grid over the image moves along x and along y. What
    lies between the knots moves by bicubic interpolation.

    Attributes:
        pixels: how far a knot moves at most, along each side.
        knots: knots along each side, at least 2; the more, the finer the distortion.
        fill: pixel value from 0 to 255 shown where the image has none.
        fade: share of the epochs, the last ones, in which ``pixels`` falls: to 0 in the middle of
            them, where it stays. 0 for full strength up to the end.

    Raises:
        RecipeError: if a value is outside the range of its annotation.
    """

    kind: ClassVar[str] = "elastic"
    pixels: Pixels = 0.0
    knots: Annotated[int, Range(2, 32, whole=True)] = 5
    fill: PixelValue = 0.0
    fade: Share = 0.0

    @property
    def changes_something(self) -> bool:
        """Return whether any knot moves."""
        return bool(self.pixels)

    def at(self, progress: float) -> AugmentStep:
        """Return the step with the strength of an epoch."""
        return replace(self, pixels=self.pixels * _strength(self.fade, progress))

    def strength_ranges(self, height: int, width: int) -> StrengthRanges:
        """Return the ranges of all knots along x, then along y, in halves of a side."""
        ends = (2 * self.pixels / width, 2 * self.pixels / height)
        return [(-end, end) for end in ends for _ in range(self.knots**2)]

    def apply(self, pixels: Tensor, strengths: Tensor) -> Tensor:
        """Return the changed images."""
        count, (height, width) = len(pixels), pixels.shape[-2:]
        knots = strengths.t().reshape(count, 2, self.knots, self.knots).to(pixels.dtype)
        moved = functional.interpolate(
            knots, (height, width), mode="bicubic", align_corners=True
        ).permute(0, 2, 3, 1)
        y, x = torch.meshgrid(
            (torch.arange(height, device=pixels.device) + 0.5) * (2 / height) - 1,
            (torch.arange(width, device=pixels.device) + 0.5) * (2 / width) - 1,
            indexing="ij",
        )
        places = torch.stack((x, y), dim=-1) + moved
        fill = self.fill / 255
        sampled = functional.grid_sample(pixels - fill, places, align_corners=False)
        return (sampled + fill).clamp_(0.0, 1.0)

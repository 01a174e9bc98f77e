"""The augmentation steps that move pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from torch import Tensor

from trainer.augment.base import Blending, GeometricStep, PixelValue, Share, StrengthRanges
from trainer.augment.warp import affine_matrix, flip_matrix, perspective_matrix, shift_matrix
from trainer.ranges import Range

__all__ = ["Affine", "Crop", "Flip", "Perspective"]


@dataclass(frozen=True)
class Affine(GeometricStep):
    """Rotation, translation, scaling and shear about the centre, in one.

    The meaning is that of :class:`torchvision.transforms.RandomAffine`, except that
    translations are not rounded to whole pixels. Drawn for an image: degrees, pixels along x and
    along y, scale, degrees of shear.

    Attributes:
        degrees: rotation, uniform in ± this many degrees.
        translate: shift along x and along y, uniform in ± this fraction of the side.
        scale: factor, uniform in 1 ± this.
        shear: shear along x, uniform in ± this many degrees.
        fill: pixel value from 0 to 255 shown where the image has none.
        interpolation: ``nearest`` or ``bilinear``.

    Raises:
        RecipeError: if a value is outside the range of its annotation.
    """

    kind: ClassVar[str] = "affine"
    degrees: Annotated[float, Range(0.0, 180.0)] = 0.0
    translate: Share = 0.0
    scale: Annotated[float, Range(0.0, 0.9)] = 0.0
    shear: Annotated[float, Range(0.0, 80.0)] = 0.0
    fill: PixelValue = 0.0
    interpolation: Blending = "bilinear"

    @property
    def changes_something(self) -> bool:
        """Return whether any strength is above 0."""
        return bool(self.degrees or self.translate or self.scale or self.shear)

    def strength_ranges(self, height: int, width: int) -> StrengthRanges:
        """Return the ranges of degrees, shift along x and y, scale and shear."""
        x, y = self.translate * width, self.translate * height
        scale = (1 - self.scale, 1 + self.scale)
        degrees, shear = (-self.degrees, self.degrees), (-self.shear, self.shear)
        return [degrees, (-x, x), (-y, y), scale, shear]

    def matrix(self, strengths: Tensor, height: int, width: int) -> Tensor:
        """Return one matrix for each image."""
        return affine_matrix(*strengths)


@dataclass(frozen=True)
class Perspective(GeometricStep):
    """A random perspective: each corner moves inward on its own.

    The meaning is that of :class:`torchvision.transforms.RandomPerspective`, except that
    corners are not rounded to whole pixels. Drawn for an image: the inward moves of the corners
    in pixels (top left x and y, then clockwise), and a number that is compared with the
    probability.

    Attributes:
        distortion: a corner moves uniformly from 0 to this fraction of half a side, along x
            and along y.
        probability: share of the images that are changed at all.
        fill: pixel value from 0 to 255 shown where the image has none.
        interpolation: ``nearest`` or ``bilinear``.

    Raises:
        RecipeError: if a value is outside the range of its annotation.
    """

    kind: ClassVar[str] = "perspective"
    projective: ClassVar[bool] = True
    distortion: Share = 0.0
    probability: Share = 0.5
    fill: PixelValue = 0.0
    interpolation: Blending = "bilinear"

    @property
    def changes_something(self) -> bool:
        """Return whether corners move, in any image."""
        return bool(self.distortion and self.probability)

    def strength_ranges(self, height: int, width: int) -> StrengthRanges:
        """Return the ranges of the eight moves and of the number for the probability."""
        x, y = self.distortion * width / 2, self.distortion * height / 2
        return [(0.0, x), (0.0, y)] * 4 + [(0.0, 1.0)]

    def matrix(self, strengths: Tensor, height: int, width: int) -> Tensor:
        """Return one matrix for each image."""
        inward = strengths[:8] * (strengths[8] < self.probability)
        return perspective_matrix(inward, height, width)


@dataclass(frozen=True)
class Crop(GeometricStep):
    """A random window of the padded image, of the size that the image had.

    Drawn for an image: pixels along x and along y before rounding.

    Attributes:
        padding: pixels added on each side; the window moves by -padding to padding.
        fill: pixel value from 0 to 255 of the padding.

    Raises:
        RecipeError: if a value is outside the range of its annotation.
    """

    kind: ClassVar[str] = "crop"
    padding: Annotated[int, Range(0, 64, whole=True)] = 0
    fill: PixelValue = 0.0

    @property
    def changes_something(self) -> bool:
        """Return whether there is any padding."""
        return bool(self.padding)

    def strength_ranges(self, height: int, width: int) -> StrengthRanges:
        """Return the ranges along x and along y."""
        return [(-self.padding - 0.5, self.padding + 0.5)] * 2

    def matrix(self, strengths: Tensor, height: int, width: int) -> Tensor:
        """Return one matrix for each image."""
        # Rounding may meet the open end of the range, half a pixel beyond the last shift.
        shift_x, shift_y = strengths.round().clamp(-self.padding, self.padding)
        return shift_matrix(shift_x, shift_y)


@dataclass(frozen=True)
class Flip(GeometricStep):
    """A horizontal flip.

    Drawn for an image: a number that is compared with the probability.

    Attributes:
        probability: share of the images that are flipped.

    Raises:
        RecipeError: if the probability is outside 0 to 1.
    """

    kind: ClassVar[str] = "flip"
    probability: Share = 0.5

    @property
    def changes_something(self) -> bool:
        """Return whether any image is flipped."""
        return bool(self.probability)

    def strength_ranges(self, height: int, width: int) -> StrengthRanges:
        """Return the range of the number for the probability."""
        return [(0.0, 1.0)]

    def matrix(self, strengths: Tensor, height: int, width: int) -> Tensor:
        """Return one matrix for each image."""
        return flip_matrix(strengths[0] < self.probability)

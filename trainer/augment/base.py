"""The base classes of augmentation steps: keys, random strengths, and what these do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, ClassVar, TypeAlias, get_args

from torch import Tensor

from trainer.augment.warp import Interpolation
from trainer.ranges import Choice, Range, check_fields

__all__ = [
    "AugmentStep",
    "Blending",
    "GeometricStep",
    "PixelStep",
    "PixelValue",
    "Share",
    "StrengthRanges",
]

Share: TypeAlias = Annotated[float, Range(0.0, 1.0)]
PixelValue: TypeAlias = Annotated[float, Range(0.0, 255.0)]
Blending: TypeAlias = Annotated[Interpolation, Choice(get_args(Interpolation))]

StrengthRanges: TypeAlias = list[tuple[float, float]]
"""The least and the greatest of each random number that a step draws for an image."""


class AugmentStep(ABC):
    """One augmentation: a frozen dataclass whose fields are the keys of its table.

    The annotation of a field says what the key may hold (:mod:`trainer.ranges`). A step is either
    a :class:`GeometricStep`, which moves pixels, or a :class:`PixelStep`, which changes them.

    Attributes:
        kind: the name of the step in study files.

    Raises:
        RecipeError: if a value is outside the range of its annotation.
    """

    kind: ClassVar[str]

    def __post_init__(self) -> None:
        check_fields(self, f"augment {self.kind}.")

    @property
    @abstractmethod
    def changes_something(self) -> bool:
        """Return whether the step can change any image."""

    def at(self, progress: float) -> AugmentStep:
        """Return the step as it is at a share of the training; the same unless it fades.

        Args:
            progress: of the epochs, 0 in the first and 1 in the last one.
        """
        return self

    @abstractmethod
    def strength_ranges(self, height: int, width: int) -> StrengthRanges:
        """Return the range of each number that is drawn, uniformly, for every image.

        Args:
            height: rows of an image.
            width: columns of an image.
        """


class GeometricStep(AugmentStep):
    """A step that resamples each image through a matrix; neighbours are fused into one warp.

    Attributes:
        projective: whether the last row of a matrix can be other than (0, 0, 1).
    """

    projective: ClassVar[bool] = False

    @property
    def fill(self) -> float | None:
        """Return the pixel value, 0 to 255, outside the image; None if it is never seen."""
        return None

    @property
    def interpolation(self) -> Interpolation | None:
        """Return how pixels are blended; None if whole pixels move."""
        return None

    @abstractmethod
    def matrix(self, strengths: Tensor, height: int, width: int) -> Tensor:
        """Return the matrices, (n, 3, 3), from output to source (:mod:`trainer.augment.warp`).

        Args:
            strengths: (k, n), one row for each of :meth:`strength_ranges`.
            height: rows of an image.
            width: columns of an image.
        """


class PixelStep(AugmentStep):
    """A step that changes the values of pixels; it is applied by itself, between warps."""

    @abstractmethod
    def apply(self, pixels: Tensor, strengths: Tensor) -> Tensor:
        """Return the changed images, (n, c, h, w) in 0 to 1, without waiting for the device.

        Args:
            pixels: (n, c, h, w), floats in 0 to 1; they may not be changed in place.
            strengths: (k, n), one row for each of :meth:`strength_ranges`.
        """

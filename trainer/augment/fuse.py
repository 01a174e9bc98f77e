"""Join augmentation steps that can be applied together.

Neighbouring geometric steps become one warp, so that the source is sampled once. Their fills must
agree (a flip has none, and agrees with all), and so must their interpolations (a flip and a crop
move whole pixels, need none and agree with all). One warp is better than its steps one after
another in two ways: pixels are blended once rather than at every step, and what one step moves out
of the frame and a later one moves back in is still there. Flips and crops alone copy pixels
unchanged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

from torch import Tensor

from trainer.augment.base import AugmentStep, GeometricStep, PixelStep
from trainer.augment.warp import Interpolation, compose, warp

__all__ = ["Warp", "fuse"]


@dataclass(frozen=True)
class Warp:
    """Geometric steps that sample the source together.

    Attributes:
        steps: one or more, in the order in which they act.
        fill: pixel value from 0 to 255 around the image; None if no step has one.
        interpolation: how pixels are blended; None if no step needs it.
    """

    steps: tuple[GeometricStep, ...]
    fill: float | None
    interpolation: Interpolation | None

    def joined(self, other: Warp) -> Warp | None:
        """Return both as one, or None if one warp would give other images."""
        fills = {self.fill, other.fill} - {None}
        interpolations = {self.interpolation, other.interpolation} - {None}
        if len(fills) > 1 or len(interpolations) > 1:
            return None
        steps = (*self.steps, *other.steps)
        return Warp(steps, next(iter(fills), None), next(iter(interpolations), None))

    def apply(self, pixels: Tensor, strengths: Sequence[Tensor]) -> Tensor:
        """Return the warped images, (n, c, h, w) in 0 to 1.

        Args:
            pixels: (n, c, h, w), floats in 0 to 1.
            strengths: of each of the steps.
        """
        height, width = pixels.shape[-2:]
        pairs = zip(self.steps, strengths, strict=True)
        return warp(
            pixels,
            reduce(compose, (step.matrix(drawn, height, width) for step, drawn in pairs)),
            fill=(self.fill or 0.0) / 255,
            interpolation=self.interpolation or "nearest",
            projective=any(step.projective for step in self.steps),
        )


def fuse(steps: Iterable[AugmentStep]) -> tuple[Warp | PixelStep, ...]:
    """Return what is done, in order: the same steps, geometric neighbours joined into warps.

    Raises:
        TypeError: if a step is neither geometric nor one that changes pixels.
    """
    stages: list[Warp | PixelStep] = []
    for step in steps:
        if isinstance(step, PixelStep):
            stages.append(step)
            continue
        if not isinstance(step, GeometricStep):
            raise TypeError(f"{step} is neither a GeometricStep nor a PixelStep; derive from one")
        alone = Warp((step,), step.fill, step.interpolation)
        last = stages[-1] if stages else None
        both = last.joined(alone) if isinstance(last, Warp) else None
        if both is None:
            stages.append(alone)
        else:
            stages[-1] = both
    return tuple(stages)

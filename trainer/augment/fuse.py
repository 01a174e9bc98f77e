"""Which augmentation steps are done together.

Neighbouring geometric steps become one warp, so that the source is sampled once. They do where
that is the same thing: their fills agree (a flip has none, and agrees with all) and so do their
interpolations (a flip and a crop move whole pixels, need none and agree with all). One warp then
differs from its steps one after another in two ways, both to the better: pixels are blended once
rather than at every step, and what one step moves out of the frame and a later one moves back
in is still there. Flips and crops alone copy pixels unchanged.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from trainer.augment.steps import Affine, Colour, Crop, Flip, Interpolation, Perspective, Step

__all__ = ["Geometric", "Warp", "changes_something", "plan"]

Geometric: TypeAlias = Affine | Perspective | Crop | Flip


@dataclass(frozen=True)
class Warp:
    """Geometric steps that sample the source together.

    Attributes:
        steps: one or more, in the order in which they act.
        fill: pixel value from 0 to 255 around the image; None while no step has one.
        interpolation: None while no step needs one.
    """

    steps: tuple[Geometric, ...]
    fill: float | None
    interpolation: Interpolation | None

    def joined(self, other: Warp) -> Warp | None:
        """Returns both as one, or None where that is another thing."""
        fills = {self.fill, other.fill} - {None}
        interpolations = {self.interpolation, other.interpolation} - {None}
        if len(fills) > 1 or len(interpolations) > 1:
            return None
        steps = (*self.steps, *other.steps)
        return Warp(steps, next(iter(fills), None), next(iter(interpolations), None))


def plan(steps: Iterable[Step]) -> tuple[Warp | Colour, ...]:
    """Returns what is done, in order: the same steps, neighbours joined into warps."""
    stages: list[Warp | Colour] = []
    for step in steps:
        if isinstance(step, Colour):
            stages.append(step)
            continue
        alone = Warp((step,), getattr(step, "fill", None), getattr(step, "interpolation", None))
        last = stages[-1] if stages else None
        both = last.joined(alone) if isinstance(last, Warp) else None
        if both is None:
            stages.append(alone)
        else:
            stages[-1] = both
    return tuple(stages)


def changes_something(step: Step) -> bool:
    """Returns whether any image can come out of the step other than it went in."""
    match step:
        case Affine():
            return bool(step.degrees or step.translate or step.scale or step.shear)
        case Perspective():
            return bool(step.distortion and step.probability)
        case Colour():
            return bool(step.brightness or step.contrast)
        case Crop():
            return bool(step.padding)
        case Flip():
            return bool(step.probability)
    assert_never(step)

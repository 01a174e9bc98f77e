"""Batched augmentation on the device: one random draw for each image."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import assert_never

import torch
from torch import Tensor

from trainer.augment.fuse import Geometric, Warp, changes_something, plan
from trainer.augment.steps import (
    Affine,
    Colour,
    Crop,
    Flip,
    Perspective,
    Step,
)
from trainer.augment.warp import (
    affine_matrix,
    compose,
    flip_matrix,
    perspective_matrix,
    shift_matrix,
    warp,
)

__all__ = ["Augmenter"]


class Augmenter:
    """Changes images at random, each in its own way.

    Calling it is :meth:`draw` followed by :meth:`apply`. It never waits for the device. On a CPU,
    chunks of 100 to 1000 images at a time are fastest: more no longer fit the cache.

    Args:
        steps: in the order in which they act.
        input_shape: channels, height and width of the images.

    Attributes:
        steps: those that change something.
        stages: the same, as :func:`plan` joins them.
    """

    def __init__(self, steps: Sequence[Step], input_shape: tuple[int, int, int]) -> None:
        self.input_shape = input_shape
        self.steps = tuple(step for step in steps if changes_something(step))
        self.stages = plan(self.steps)
        self._ranges = [_ranges(step, *input_shape[1:]) for step in self.steps]
        self._bounds: dict[torch.device, tuple[Tensor, Tensor]] = {}

    def __call__(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        """Returns the changed images; without steps, ``pixels`` itself.

        Args:
            pixels: (n, c, h, w), floats in 0 to 1; n may differ from call to call.
            generator: on the device of ``pixels``. Its state and n decide all draws.

        Returns:
            (n, c, h, w) in 0 to 1.

        Raises:
            ValueError: if the images are not of ``input_shape``.
        """
        if pixels.shape[1:] != self.input_shape:
            raise ValueError(
                f"images of shape {tuple(pixels.shape[1:])} reached an augmenter for "
                f"{self.input_shape}; build one for their shape"
            )
        return self.apply(pixels, self.draw(len(pixels), generator)) if self.steps else pixels

    def draw(self, count: int, generator: torch.Generator) -> list[Tensor]:
        """Draws the strengths of all steps for ``count`` images.

        Args:
            count: number of images.
            generator: on the device where the strengths are wanted.

        Returns:
            One tensor (k, count) for each of :attr:`steps`, its k rows uniform. Affine: degrees,
            pixels along x and along y, scale, degrees of shear. Perspective: the inward moves of
            the corners in pixels (top left x and y, then clockwise), and a number that is
            compared with the probability. Colour: factors of brightness and contrast. Crop:
            pixels along x and along y before rounding. Flip: a number that is compared with the
            probability.
        """
        if not self.steps:
            return []
        low, span = self._bounds_on(generator.device)
        uniform = torch.rand(
            (len(low), count), generator=generator, device=generator.device, dtype=torch.float32
        )
        drawn = torch.addcmul(low, span, uniform)
        return list(torch.split(drawn, [len(ranges) for ranges in self._ranges]))

    def apply(self, pixels: Tensor, strengths: Sequence[Tensor]) -> Tensor:
        """Changes images by given strengths; no randomness is left.

        Args:
            pixels: (n, c, h, w), floats in 0 to 1.
            strengths: as :meth:`draw` returns them.

        Returns:
            (n, c, h, w) in 0 to 1.
        """
        rest = iter(strengths)
        for stage in self.stages:
            if isinstance(stage, Colour):
                pixels = _recolour(pixels, stage, next(rest))
            else:
                pixels = _rewarp(pixels, stage, [next(rest) for _ in stage.steps])
        return pixels

    def _bounds_on(self, device: torch.device) -> tuple[Tensor, Tensor]:
        if device not in self._bounds:
            rows = [bounds for ranges in self._ranges for bounds in ranges]
            low, high = torch.tensor(rows, device=device)[:, :, None].unbind(1)
            self._bounds[device] = low, high - low
        return self._bounds[device]


def _ranges(step: Step, height: int, width: int) -> list[tuple[float, float]]:
    match step:
        case Affine():
            x, y = step.translate * width, step.translate * height
            scale = (1 - step.scale, 1 + step.scale)
            degrees, shear = (-step.degrees, step.degrees), (-step.shear, step.shear)
            return [degrees, (-x, x), (-y, y), scale, shear]
        case Perspective():
            x, y = step.distortion * width / 2, step.distortion * height / 2
            return [(0.0, x), (0.0, y)] * 4 + [(0.0, 1.0)]
        case Colour():
            return [(max(0.0, 1 - s), 1 + s) for s in (step.brightness, step.contrast)]
        case Crop():
            return [(-step.padding - 0.5, step.padding + 0.5)] * 2
        case Flip():
            return [(0.0, 1.0)]
    assert_never(step)


def _matrix(step: Geometric, strengths: Tensor, height: int, width: int) -> Tensor:
    match step:
        case Affine():
            return affine_matrix(*strengths)
        case Perspective():
            inward = strengths[:8] * (strengths[8] < step.probability)
            return perspective_matrix(inward, height, width)
        case Crop():
            # Rounding may meet the open end of the range, half a pixel beyond the last shift.
            shift_x, shift_y = strengths.round().clamp(-step.padding, step.padding)
            return shift_matrix(shift_x, shift_y)
        case Flip():
            return flip_matrix(strengths[0] < step.probability)
    assert_never(step)


def _rewarp(pixels: Tensor, stage: Warp, strengths: Sequence[Tensor]) -> Tensor:
    height, width = pixels.shape[-2:]
    pairs = zip(stage.steps, strengths, strict=True)
    return warp(
        pixels,
        reduce(compose, (_matrix(step, drawn, height, width) for step, drawn in pairs)),
        fill=(stage.fill or 0.0) / 255,
        interpolation=stage.interpolation or "nearest",
        projective=any(isinstance(step, Perspective) for step in stage.steps),
    )


def _recolour(pixels: Tensor, step: Colour, factors: Tensor) -> Tensor:
    brightness, contrast = factors[:, :, None, None, None].to(pixels.dtype)
    if step.brightness:
        pixels = (pixels * brightness).clamp_(0.0, 1.0)
    if step.contrast:
        grey = pixels.mean(dim=(2, 3), keepdim=True)
        if grey.shape[1] == 3:
            grey = 0.2989 * grey[:, :1] + 0.587 * grey[:, 1:2] + 0.114 * grey[:, 2:]
        else:
            grey = grey.mean(dim=1, keepdim=True)
        pixels = torch.lerp(grey, pixels, contrast).clamp_(0.0, 1.0)
    return pixels

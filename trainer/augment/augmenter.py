"""Batched augmentation on the device: one random draw for each image."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from trainer.augment.base import AugmentStep
from trainer.augment.fuse import Warp, fuse

__all__ = ["Augmenter"]


class Augmenter:
    """An operation that changes images at random, each in its own way.

    Calling it is :meth:`draw` followed by :meth:`apply`. It never waits for the device. On a CPU,
    chunks of 100 to 1000 images at a time are fastest: more no longer fit the cache.

    Args:
        steps: in the order in which they act.
        input_shape: channels, height and width of the images.

    Attributes:
        steps: those that change something.
        stages: the same, as :func:`trainer.augment.fuse.fuse` joins them.
    """

    def __init__(self, steps: Sequence[AugmentStep], input_shape: tuple[int, int, int]) -> None:
        self.input_shape = input_shape
        self.steps = tuple(step for step in steps if step.changes_something)
        self.stages = fuse(self.steps)
        self._ranges = [step.strength_ranges(*input_shape[1:]) for step in self.steps]
        self._bounds: dict[torch.device, tuple[Tensor, Tensor]] = {}

    def __call__(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        """Return the changed images; without steps, ``pixels`` itself.

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
        """Draw the strengths of all steps for ``count`` images.

        Args:
            count: number of images.
            generator: on the device where the strengths are wanted.

        Returns:
            One tensor (k, count) for each of :attr:`steps`: its k rows are uniform in the step's
            ``strength_ranges``.
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
        """Change images by given strengths, without any randomness.

        Args:
            pixels: (n, c, h, w), floats in 0 to 1.
            strengths: as :meth:`draw` returns them.

        Returns:
            (n, c, h, w) in 0 to 1.
        """
        rest = iter(strengths)
        for stage in self.stages:
            if isinstance(stage, Warp):
                pixels = stage.apply(pixels, [next(rest) for _ in stage.steps])
            else:
                pixels = stage.apply(pixels, next(rest))
        return pixels

    def _bounds_on(self, device: torch.device) -> tuple[Tensor, Tensor]:
        if device not in self._bounds:
            rows = [bounds for ranges in self._ranges for bounds in ranges]
            low, high = torch.tensor(rows, device=device)[:, :, None].unbind(1)
            self._bounds[device] = low, high - low
        return self._bounds[device]

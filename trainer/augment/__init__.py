"""Augmentation of images in batches on the device."""

from __future__ import annotations

from trainer.augment.augmenter import Augmenter
from trainer.augment.base import AugmentStep, GeometricStep, PixelStep
from trainer.augment.colour import Colour
from trainer.augment.fading import Cutout, Elastic
from trainer.augment.geometric import Affine, Crop, Flip, Perspective
from trainer.augment.steps import STEP_KINDS, step_defaults, step_from_dict, step_to_dict

__all__ = [
    "STEP_KINDS",
    "Affine",
    "AugmentStep",
    "Augmenter",
    "Colour",
    "Crop",
    "Cutout",
    "Elastic",
    "Flip",
    "GeometricStep",
    "Perspective",
    "PixelStep",
    "step_defaults",
    "step_from_dict",
    "step_to_dict",
]

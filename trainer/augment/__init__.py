"""Augmentation of images in batches on the device."""

from __future__ import annotations

from trainer.augment.augmenter import Augmenter
from trainer.augment.steps import (
    STEP_KINDS,
    Affine,
    Colour,
    Crop,
    FieldSpec,
    Flip,
    Perspective,
    Step,
    step_from_dict,
    step_to_dict,
)

__all__ = [
    "STEP_KINDS",
    "Affine",
    "Augmenter",
    "Colour",
    "Crop",
    "FieldSpec",
    "Flip",
    "Perspective",
    "Step",
    "step_from_dict",
    "step_to_dict",
]

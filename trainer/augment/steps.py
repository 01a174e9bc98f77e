"""The augmentation steps that a recipe can name, and their form in study files.

A step is one class, listed in :data:`STEP_KINDS`; whatever names, checks or draws steps reads that
table.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from trainer.augment.base import AugmentStep
from trainer.augment.colour import Colour
from trainer.augment.fading import Cutout, Elastic
from trainer.augment.geometric import Affine, Crop, Flip, Perspective
from trainer.errors import RecipeError
from trainer.ranges import Choice, check_keys, rules_of, show

__all__ = ["STEP_KINDS", "step_defaults", "step_from_dict", "step_to_dict"]

_CLASSES: tuple[type[AugmentStep], ...] = (
    Affine,
    Perspective,
    Colour,
    Crop,
    Flip,
    Cutout,
    Elastic,
)

STEP_KINDS: Mapping[str, type[AugmentStep]] = MappingProxyType({cls.kind: cls for cls in _CLASSES})
"""The class of every kind of step; :func:`trainer.ranges.rules_of` gives the rules of its keys."""


def step_defaults(kind: str) -> dict[str, Any]:
    """Return the keys of a kind of step, without ``kind``, and their defaults; empty if unknown."""
    return _values(STEP_KINDS[kind]()) if kind in STEP_KINDS else {}


def step_from_dict(values: Mapping[str, Any]) -> AugmentStep:
    """Make a step from its table in a study file.

    Args:
        values: ``kind`` and the keys of that kind; absent keys take their defaults.

    Raises:
        RecipeError: for a missing or unknown kind, an unknown key, a value of another type or
            outside its range.
    """
    kinds = Choice(tuple(STEP_KINDS))
    if not isinstance(values, Mapping):
        raise RecipeError(f"augment: {show(values)} is not a step; give a table with a kind")
    if "kind" not in values:
        raise RecipeError(f"augment kind: is missing; give one of {', '.join(kinds.options)}")
    kind = kinds.check("augment kind", values["kind"])
    keys = {key: value for key, value in values.items() if key != "kind"}
    check_keys(keys, list(step_defaults(kind)), f"augment {kind}.")
    return STEP_KINDS[kind](**keys)


def step_to_dict(step: AugmentStep) -> dict[str, Any]:
    """Return the step's table, ``kind`` first and defaults included."""
    return {"kind": step.kind, **_values(step)}


def _values(step: AugmentStep) -> dict[str, Any]:
    return {key: getattr(step, key) for key in rules_of(type(step))}

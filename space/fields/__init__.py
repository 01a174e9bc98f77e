"""One field of a study file: a value, a list of choices, or a range."""

from __future__ import annotations

from space.fields.limits import out_of_range, too_large, too_small
from space.fields.parse import Kind, did_you_mean, parse_field, show
from space.fields.values import Choices, Field, Fixed, FloatRange, IntRange, Scalar, Trial

__all__ = [
    "Choices",
    "Field",
    "Fixed",
    "FloatRange",
    "IntRange",
    "Kind",
    "Scalar",
    "Trial",
    "did_you_mean",
    "out_of_range",
    "parse_field",
    "show",
    "too_large",
    "too_small",
]

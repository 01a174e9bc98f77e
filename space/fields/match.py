"""Which value of a field a line spells: the way back from a text to what a trial answered."""

from __future__ import annotations

from space.architecture import Architecture
from space.errors import OutsideSpaceError
from space.fields import Field, FloatRange, IntRange, Scalar, show
from space.layers import Shape
from space.layers.words import format_shape


def spelled(field: Field, wanted: Scalar) -> Scalar | None:
    """Give a value of a field that a line spells as ``wanted``, rounded to 3 decimals; else None.

    Where several are spelled alike it is the nearest.
    """
    if isinstance(wanted, str):
        return wanted if wanted in field.values() else None
    if isinstance(field, IntRange):
        return int(wanted) if wanted in field.values() else None
    found = _nearest(field, wanted)
    return found if round(found, 3) == round(wanted, 3) else None


def check_input(architecture: Architecture, shape: Shape) -> None:
    """Refuse an architecture for other images than a space is for.

    Raises:
        OutsideSpaceError: it takes images of another shape.
    """
    if architecture.input_shape != shape:
        raise OutsideSpaceError(
            f"it takes images of {format_shape(architecture.input_shape)}, "
            f"the data has {format_shape(shape)}"
        )


def allowed(field: Field) -> str:
    """Say which values a field has, such as ``4 to 32``."""
    if isinstance(field, IntRange | FloatRange):
        steps = f" in steps of {field.step}" if field.step not in (1, None) else ""
        return f"{field.low} to {field.high}{steps}"
    return " or ".join(map(show, field.values()))


def _nearest(field: Field, wanted: float) -> int | float:
    if isinstance(field, FloatRange) and field.step is None:
        return min(max(wanted, field.low), field.high)
    numbers = [value for value in field.values() if not isinstance(value, str)]
    return min(numbers, key=lambda value: abs(value - wanted))

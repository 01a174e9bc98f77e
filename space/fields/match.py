"""Find the value of a field that a line shows, and list the values of a field for messages."""

from __future__ import annotations

from space.fields.parse import show
from space.fields.values import Field, FloatRange, IntRange, Scalar


def spelled(field: Field, wanted: Scalar) -> Scalar | None:
    """Return the value of a field that a line would show as ``wanted``; None when there is none.

    Lines show rates rounded to 3 decimals; where several values round alike, the nearest counts.
    """
    if isinstance(wanted, str):
        return wanted if wanted in field.values() else None
    if isinstance(field, IntRange):
        return int(wanted) if wanted in field.values() else None
    found = _nearest(field, wanted)
    return found if round(found, 3) == round(wanted, 3) else None


def allowed(field: Field) -> str:
    """List the values of a field for a message, such as ``4 to 32``."""
    if isinstance(field, IntRange | FloatRange):
        steps = f" in steps of {field.step}" if field.step not in (1, None) else ""
        return f"{field.low} to {field.high}{steps}"
    return " or ".join(map(show, field.values()))


def _nearest(field: Field, wanted: float) -> int | float:
    if isinstance(field, FloatRange) and field.step is None:
        return min(max(wanted, field.low), field.high)
    numbers = [value for value in field.values() if not isinstance(value, str)]
    return min(numbers, key=lambda value: abs(value - wanted))

"""Messages for a number out of its range, worded the same for every file that is read."""

from __future__ import annotations


def too_small(value: object, least: object) -> str:
    """Return the message for a value below the smallest one allowed."""
    return f"{value} is too small; give at least {least}"


def too_large(value: object, most: object) -> str:
    """Return the message for a value above the largest one allowed."""
    return f"{value} is too large; give at most {most}"


def out_of_range(value: float, least: float | None, most: float | None) -> str:
    """Return the message for a value outside a range, both ends included; empty if it is inside.

    Args:
        value: the number to check.
        least: the smallest value allowed; None for no such limit.
        most: the largest value allowed; None for no such limit.
    """
    if least is not None and value < least:
        return too_small(value, least)
    if most is not None and value > most:
        return too_large(value, most)
    return ""

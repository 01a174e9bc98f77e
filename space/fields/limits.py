"""What to say of a number that is out of its range: one wording for every file that is read."""

from __future__ import annotations


def too_small(value: object, least: object) -> str:
    """Say that a value is below the least that is allowed, and what to give instead."""
    return f"{value} is too small; give at least {least}"


def too_large(value: object, most: object) -> str:
    """Say that a value is above the most that is allowed, and what to give instead."""
    return f"{value} is too large; give at most {most}"


def out_of_range(value: float, least: float | None, most: float | None) -> str:
    """Say how a value lies outside a range, both ends included; empty when it does not.

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

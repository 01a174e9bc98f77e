"""Format words and figures for users."""

from __future__ import annotations

__all__ = ["percent", "plural"]


def percent(share: float | None) -> str:
    """Return a share of 0 to 1 in per cent with two decimals; a dash for None."""
    return "-" if share is None else f"{share * 100:.2f} %"


def plural(count: int, noun: str) -> str:
    """Return a count with its noun, such as ``2 workers``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"

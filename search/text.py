"""Format words and figures for users."""

from __future__ import annotations

from trainer.words import plural

__all__ = ["at_most", "byte_size", "duration", "percent", "percent_share", "plural", "points"]


def at_most(limit: int) -> str:
    """Return a limit on parameters in words, such as ``at most 8,000 parameters``."""
    return f"at most {limit:,} parameters"


def percent(share: float | None) -> str:
    """Return a share of 0 to 1 in per cent with two decimals; a dash for None."""
    return "-" if share is None else f"{share * 100:.2f} %"


def points(difference: float) -> str:
    """Return a difference of two shares of 0 to 1 in points of per cent, with two decimals."""
    return f"{difference * 100:.2f} points"


def percent_share(share: float) -> str:
    """Return a share of 0 to 1 in whole per cent; what is not all is not called all."""
    whole = round(share * 100)
    if whole == 100 and share < 1:
        whole = 99
    return "under 1 %" if whole == 0 and share > 0 else f"{whole} %"


def duration(seconds: float) -> str:
    """Return a time in words, such as ``45 s``, ``12 min`` or ``3 h 20 min``."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def byte_size(count: int) -> str:
    """Return a number of bytes in words, such as ``640 bytes``, ``31.5 KiB`` or ``2.0 MiB``."""
    if count < 1024:
        return plural(count, "byte")
    size, units = count / 1024, ["KiB", "MiB", "GiB"]
    while size >= 1023.95 and len(units) > 1:
        size /= 1024
        units.pop(0)
    return f"{size:,.1f} {units[0]}"

"""Counts, lists and names in the words of messages."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["listed", "out_of", "plural", "spelled"]

_SHOWN = 3


def plural(count: int, noun: str, many: str | None = None) -> str:
    """Return a count with its noun, such as ``1 worker`` or ``2 workers``.

    Args:
        count: how many.
        noun: for one; a verb may follow, as in ``image is``.
        many: for any other count; by default the noun with an s.
    """
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def out_of(count: int, whole: int, noun: str, verb: str = "has", many: str = "have") -> str:
    """Return how many of how many, such as ``1 of 60 images has``."""
    return f"{count:,} of {plural(whole, noun)} {verb if count == 1 else many}"


def listed(words: Iterable[str], most: int = _SHOWN) -> str:
    """Return the first words of a list and how many more there are."""
    every = list(words)
    more = len(every) - most
    return ", ".join(every[:most]) + (f" and {more:,} more" if more > 0 else "")


def spelled(name: str) -> str:
    r"""Return a file's name with its bytes that are no UTF-8 written out, as in ``caf\udce9``."""
    return name.encode("utf-8", "backslashreplace").decode()

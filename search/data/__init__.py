"""``flyweight data``: say what a data set holds."""

from __future__ import annotations

from search.data.command import data

__all__ = ["data"]

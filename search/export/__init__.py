"""``flyweight export``: write a trained network as files that do not need flyweight."""

from __future__ import annotations

from search.export.command import export

__all__ = ["export"]

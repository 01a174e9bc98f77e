"""``flyweight export``: a trained network as files that need nothing of flyweight."""

from __future__ import annotations

from search.export.command import export

__all__ = ["export"]

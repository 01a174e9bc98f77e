"""``flyweight ladder``: replay hand-made networks and compare with their authors' figures."""

from __future__ import annotations

from search.ladder.command import ladder

__all__ = ["ladder"]

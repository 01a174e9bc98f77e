"""``flyweight ladder``: replay hand-made steps beside what their authors reported."""

from __future__ import annotations

from search.ladder.command import ladder

__all__ = ["ladder"]

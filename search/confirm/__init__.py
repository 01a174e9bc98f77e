"""``flyweight confirm``: retrains the best, chooses on validation, reads the test set once."""

from __future__ import annotations

from search.confirm.command import confirm

__all__ = ["confirm"]

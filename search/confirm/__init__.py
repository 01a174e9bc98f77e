"""``flyweight confirm``: retrain the best, choose on validation, read the test set once."""

from __future__ import annotations

from search.confirm.command import confirm

__all__ = ["confirm"]

"""``flyweight explain``: from a plain skeleton to a champion, one choice at a time."""

from search.explain.command import explain

__all__ = ["explain"]

"""``flyweight run``: search until the study has its trained trials."""

from __future__ import annotations

from search.run.command import RunResult, run

__all__ = ["RunResult", "run"]

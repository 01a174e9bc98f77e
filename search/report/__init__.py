"""``flyweight report``: a study as one page to keep, mail or hand in."""

from search.report.command import report

__all__ = ["report"]

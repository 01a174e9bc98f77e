"""``flyweight calibrate``: how much seeds differ, and when early figures tell the end."""

from __future__ import annotations

from search.calibrate.command import calibrate

__all__ = ["calibrate"]

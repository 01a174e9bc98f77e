"""How files become images: what a study may ask for, and what is kept of it with the study."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from trainer.errors import DataError
from trainer.ranges import show

__all__ = [
    "BACKGROUND",
    "RULES",
    "Progress",
    "ReadOptions",
    "Reading",
    "background_problem",
    "is_grey",
    "no_progress",
]

RULES = 3
"""The version of the rules of reading that new studies follow. A study keeps the one it began with.

1: the version without a number in a study. Transparency is dropped, grey values of 16 bits keep
their upper 8.
2: transparency is laid on a background, grey values of more than 8 bits have one scale.
3: images without a suffix are read too, and what can teach nothing is refused. The pixels of a file
are those of 2.
"""

BACKGROUND = "white"
"""What lies behind transparent pixels unless told."""

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the number of files that are read and the number of all, from any thread."""


def no_progress(_done: int, _total: int) -> None:
    """Show nothing."""


def is_grey(background: str) -> bool:
    """Return whether a background (see :func:`background_problem`) has no colour."""
    if background.startswith("#"):
        return len({background[i : i + 2].lower() for i in (1, 3, 5)}) == 1
    return True


def background_problem(value: object) -> str | None:
    """Return what is wrong with a background; None for ``white``, ``black`` or ``#rrggbb``."""
    if isinstance(value, str) and re.fullmatch(r"white|black|#[0-9a-fA-F]{6}", value):
        return None
    return f'{show(value)} is not a background; give "white", "black" or "#rrggbb"'


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """What a study may ask of the reading of a folder.

    Attributes:
        image_size: the side in pixels of the square to which images are stretched; None keeps them.
        colour: whether images become RGB; None decides by the files.
        background: behind transparent pixels: ``white``, ``black`` or ``#rrggbb``.
        skip_broken: whether broken files are left out instead of refused.
        rules: the version of the rules, 1 to :data:`RULES`.

    Raises:
        DataError: if a value cannot be used.
    """

    image_size: int | None = None
    colour: bool | None = None
    background: str = BACKGROUND
    skip_broken: bool = False
    rules: int = RULES

    def __post_init__(self) -> None:
        if self.image_size is not None and self.image_size < 1:
            raise DataError(f"image_size: {self.image_size} is too small; give at least 1")
        if problem := background_problem(self.background):
            raise DataError(f"background: {problem}")
        if self.rules not in range(1, RULES + 1):
            raise DataError(
                f"the rules of reading {self.rules} are not known; this version knows 1 to {RULES}"
            )

    def given(self) -> list[str]:
        """Return the names of the keys that differ from their defaults, rules apart."""
        keys = ("image_size", "colour", "background", "skip_broken")
        return [key for key in keys if getattr(self, key) != getattr(type(self), key)]


@dataclass(frozen=True)
class Reading:
    """How the images of a study were read; kept with it and written into model cards.

    Attributes:
        rules: the version of the rules.
        background: what lies behind transparent pixels.
        resized: whether images were stretched to one size.
        scale: the grey values that became 0 and 255, for files of more than 8 bits a pixel; None
            where there are none.
    """

    rules: int = RULES
    background: str = BACKGROUND
    resized: bool = False
    scale: tuple[float, float] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        scale = None if self.scale is None else list(self.scale)
        return {
            "rules": self.rules,
            "background": self.background,
            "resized": self.resized,
            "scale": scale,
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any] | None) -> Reading:
        """Return what :meth:`to_dict` wrote; None is a study from before there were versions."""
        if kept is None:
            return cls(rules=1)
        scale = kept.get("scale")
        return cls(
            rules=int(kept["rules"]),
            background=str(kept.get("background", BACKGROUND)),
            resized=bool(kept.get("resized", False)),
            scale=None if scale is None else (float(scale[0]), float(scale[1])),
        )

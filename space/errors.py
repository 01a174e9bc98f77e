"""The errors that ``space`` raises.

::

    SpaceError
    ├── LayerError         text (or a value) that is not the layer language
    ├── ShapeError         layers that do not fit together
    ├── FieldError         one field of a study file that is not a value, choices or a range
    ├── SearchSpaceError   a ``[space]`` section with one or more problems
    └── OutsideSpaceError  an architecture that a search space does not hold
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class SpaceError(Exception):
    """Base of every error of this package."""


class LayerError(SpaceError, ValueError):
    """Text or a value that is not the layer language; the message shows the line and the word."""


class ShapeError(SpaceError, ValueError):
    """Layers that do not fit together: maps vanish, skips disagree, the end is no classifier.

    Attributes:
        line: index of the offending line, from 0 (the message counts from 1).
        violation: how far off it is, as a positive logarithm of a ratio of sizes.
    """

    line: int
    violation: float

    def __init__(self, message: str, line: int, violation: float) -> None:
        # All three go to the base class, so that the error survives pickling between processes.
        super().__init__(message, line, violation)
        self.line = line
        self.violation = violation

    def __str__(self) -> str:
        return str(self.args[0])


class FieldError(SpaceError, ValueError):
    """One field of a study file that cannot be used.

    Attributes:
        key: the field's full name, such as ``space.width``.
        message: what is wrong with which value, and the way out.
    """

    key: str
    message: str

    def __init__(self, key: str, message: str) -> None:
        # Both go to the base class, so that the error survives pickling between processes.
        super().__init__(key, message)
        self.key = key
        self.message = message

    def __str__(self) -> str:
        return f"{self.key}: {self.message}"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a search space: the key's full name and what is wrong."""

    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.key}: {self.message}"


class OutsideSpaceError(SpaceError, ValueError):
    """An architecture that a search space does not hold; the message names the line and why."""


class SearchSpaceError(SpaceError, ValueError):
    """A search space that cannot be used; ``problems`` holds every reason, one line each."""

    problems: tuple[Problem, ...]

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))

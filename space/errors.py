"""The errors that ``space`` raises.

::

    SpaceError
    ├── LayerError         a text or value that does not follow the layer language
    ├── ShapeError         layers that do not fit together
    ├── FieldError         one field of a study file that is not a value, choices or a range
    ├── SearchSpaceError   a ``[space]`` section with one or more problems
    ├── OutsideSpaceError  an architecture that a search space does not contain
    └── NotDeployable      a network that a chip cannot run
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class SpaceError(Exception):
    """The base class of every error that this package raises."""


class LayerError(SpaceError, ValueError):
    """A text or value that does not follow the layer language; the message shows line and word."""


class ShapeError(SpaceError, ValueError):
    """Layers that do not fit together: a map gets too small, or a skip adds two shapes.

    Attributes:
        line: the index of the line at fault, from 0. The message counts from 1.
        violation: how far off it is: the logarithm of a ratio of sizes, above 0.
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
    """A field of a study file that cannot be used.

    Attributes:
        key: the field's full name, such as ``space.width``.
        message: which value is wrong, why, and what to give instead.
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
    """One thing that is wrong with a study file.

    Attributes:
        key: the full name of the field at fault, such as ``space.width``.
        message: which value is wrong, why, and what to give instead.
    """

    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.key}: {self.message}"


class OutsideSpaceError(SpaceError, ValueError):
    """An architecture outside a search space; the message names the line and why."""


class NotDeployable(SpaceError, ValueError):
    """A network that cannot run on a chip; the message names the word and why."""


class SearchSpaceError(SpaceError, ValueError):
    """A search space that cannot be used.

    Attributes:
        problems: every reason, in the order of the section; the message has one line for each.
    """

    problems: tuple[Problem, ...]

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))

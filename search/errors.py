"""The errors of all three packages, and the exit code of each.

::

    Exception
    ├── FlyweightError             what ``search`` raises on purpose
    │   ├── InputError         2   something from the user cannot be used
    │   │   ├── StudyFileError     a study or ladder file, with every problem at once
    │   │   ├── StorageError       a study database, or a study that it does not have
    │   │   ├── ResumeError        a study that cannot be resumed with the settings given
    │   │   ├── ExportError        a network that cannot be exported, or not there
    │   │   ├── TrialError         a trial that does not exist or cannot be used
    │   │   └── DeviceError        this machine does not have the device
    │   ├── WorkFailed         1   the input is correct, but the work failed
    │   └── Interrupted      130   the user asked to stop
    ├── space.SpaceError       2   (see ``space.errors``)
    │   ├── LayerError             text that is not the layer language
    │   ├── ShapeError             layers that do not fit together
    │   ├── FieldError             one field that is not a value, choices or a range
    │   ├── SearchSpaceError       a search space with one or more problems
    │   └── OutsideSpaceError      an architecture that a search space does not hold
    └── trainer.TrainerError   1   (see ``trainer.errors``)
        ├── DataError          2   a data set that is unknown, missing or damaged
        ├── RecipeError        2   a recipe that cannot be followed
        ├── Diverged           1   the loss is no longer finite
        └── OutOfMemory        1   the device has no room for a network

Each message is one line, or one line for each problem: what is wrong, where, and the way out.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import SQLAlchemyError

from space.errors import Problem, SearchSpaceError, SpaceError
from trainer.errors import DataError, RecipeError, TrainerError

__all__ = [
    "DeviceError",
    "ExportError",
    "FlyweightError",
    "InputError",
    "Interrupted",
    "ResumeError",
    "StorageError",
    "StudyFileError",
    "TrialError",
    "WorkFailed",
    "exit_code_of",
    "message_of",
    "printable",
]


class FlyweightError(Exception):
    """The base class of every error that ``search`` raises on purpose.

    Attributes:
        exit_code: what a command that ends with this error returns to the shell.
    """

    exit_code: ClassVar[int] = 1


class InputError(FlyweightError):
    """An input of the user that cannot be used."""

    exit_code = 2


class StudyFileError(InputError):
    """A study file or a ladder file that cannot be used.

    Attributes:
        path: the file; None for a value that came from no file.
        problems: every reason, in the order of the file's sections; a problem of the file as a
            whole has an empty key.
    """

    path: Path | None
    problems: tuple[Problem, ...]

    def __init__(self, path: Path | None, problems: Iterable[Problem]) -> None:
        self.path = path
        self.problems = tuple(problems)
        # Both go to the base class, so that the error survives pickling between processes.
        super().__init__(path, self.problems)

    def __str__(self) -> str:
        return "\n".join(map(self._line, self.problems))

    def _line(self, problem: Problem) -> str:
        place = "" if self.path is None else str(self.path)
        return printable(": ".join(filter(None, (place, problem.key, problem.message))))


class StorageError(InputError):
    """A study database that cannot be used, or a study that it does not hold."""


class ResumeError(InputError):
    """A study that cannot be resumed with the settings given."""


class ExportError(InputError):
    """A network that cannot be exported, or a place that cannot take it."""


class TrialError(InputError):
    """A trial that does not exist or that a command cannot use."""


class DeviceError(InputError):
    """A device that this machine does not have."""


class WorkFailed(FlyweightError):
    """A failure of the work with correct input: a worker died, or nothing fits the budget."""


class Interrupted(FlyweightError):
    """A stop that the user asked for; the message says how to resume."""

    exit_code = 130


def exit_code_of(error: BaseException) -> int:
    """Return the exit code of a command that ends with this error.

    Returns:
        2 for bad input, 130 for an interruption, 1 for anything else.
    """
    if isinstance(error, FlyweightError):
        return error.exit_code
    if isinstance(error, SpaceError | DataError | RecipeError):
        return InputError.exit_code
    return Interrupted.exit_code if isinstance(error, KeyboardInterrupt) else 1


def message_of(error: BaseException) -> str:
    """Return the message of an error for the user: one line, or one line for each problem.

    What would break a line or drive the terminal is escaped: names of files and classes may
    contain anything.
    """
    if isinstance(error, StudyFileError | SearchSpaceError):
        return "\n".join(map(printable, str(error).splitlines()))
    if isinstance(error, FlyweightError | SpaceError | TrainerError):
        return printable(str(error))
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if isinstance(error, StorageInternalError | SQLAlchemyError):
        cause = error.__cause__ if isinstance(error, StorageInternalError) else error
        reason = printable(str(cause or error).splitlines()[0])
        return (
            f"the study database cannot be used: {reason}; check that the disk has room "
            "and the database can be reached, then run it again: what was finished is kept"
        )
    words = printable(" ".join(str(error).split()))
    return f"{type(error).__name__}: {words} (--debug shows where)"


def printable(text: str) -> str:
    """Escape what would break the line or drive the terminal; names may hold anything."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)

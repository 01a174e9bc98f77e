from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import OperationalError

from search import errors
from search.errors import FlyweightError, StudyFileError, exit_code_of, message_of
from space.errors import FieldError, LayerError, Problem, SearchSpaceError, ShapeError
from trainer.errors import DataError, Diverged, OutOfMemory, RecipeError

PROBLEMS = (Problem("study.trials", "0 is too small"), Problem("budget", "sets no limit"))


def subclasses(kind: type[Exception]) -> list[type[Exception]]:
    """A family: the class and all below it."""
    return [kind, *(deeper for below in kind.__subclasses__() for deeper in subclasses(below))]


@pytest.mark.parametrize("kind", subclasses(FlyweightError))
def test_every_error_is_exported_and_drawn(kind: type[Exception]) -> None:
    """Each error of the family is in ``__all__``, in the picture and in the package."""
    import search

    name = kind.__name__
    assert name in errors.__all__
    assert name in (errors.__doc__ or "")
    assert getattr(search, name) is kind


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.WorkFailed("x"), 1),
        (errors.Interrupted("x"), 130),
        (KeyboardInterrupt(), 130),
        (errors.DeviceError("x"), 2),
        (StudyFileError(None, PROBLEMS), 2),
        (DataError("x"), 2),
        (RecipeError("x"), 2),
        (LayerError("x"), 2),
        (ShapeError("x", 0, 1.0), 2),
        (FieldError("space.width", "x"), 2),
        (SearchSpaceError(PROBLEMS), 2),
        (Diverged(3), 1),
        (OutOfMemory("x"), 1),
        (ValueError("x"), 1),
    ],
)
def test_exit_codes(error: BaseException, code: int) -> None:
    """Bad input is 2 wherever it was found, interruption 130, all else 1."""
    assert exit_code_of(error) == code


def test_study_file_error_has_one_line_for_each_problem() -> None:
    """Each line names the file, the key and the message; without a file, the last two."""
    assert str(StudyFileError(Path("a.toml"), PROBLEMS)).splitlines() == [
        "a.toml: study.trials: 0 is too small",
        "a.toml: budget: sets no limit",
    ]
    assert str(StudyFileError(None, PROBLEMS[1:])) == "budget: sets no limit"
    assert str(StudyFileError(Path("a.toml"), [Problem("", "no such file")])) == (
        "a.toml: no such file"
    )


def test_study_file_error_cannot_break_the_terminal() -> None:
    """Line breaks and control characters of a hostile key are escaped."""
    error = StudyFileError(Path("a\nb.toml"), [Problem("study.\x1b[31m", "bad\r\nbad")])
    assert str(error) == r"a\nb.toml: study.\x1b[31m: bad\r\nbad"


def test_study_file_error_survives_pickling() -> None:
    """An error that crosses processes keeps its path and problems."""
    error = pickle.loads(pickle.dumps(StudyFileError(Path("a.toml"), iter(PROBLEMS))))
    assert error.path == Path("a.toml")
    assert error.problems == PROBLEMS


def test_messages_are_one_line_for_each_problem() -> None:
    """What names of files and classes hold cannot break a line or drive the terminal."""
    assert message_of(DataError("class 'a\n\x1b[31m' is empty")) == (
        r"class 'a\n\x1b[31m' is empty"
    )
    assert message_of(errors.StorageError("a\nb: no")) == r"a\nb: no"
    assert message_of(StudyFileError(None, PROBLEMS)).count("\n") == len(PROBLEMS) - 1
    assert message_of(SearchSpaceError(PROBLEMS)).count("\n") == len(PROBLEMS) - 1
    assert message_of(KeyboardInterrupt()) == "interrupted"
    assert message_of(ValueError("a\nb")) == "ValueError: a b (--debug shows where)"


def test_a_database_that_fails_is_said_to_have_failed() -> None:
    """The cause, such as a full disk, is told instead of Optuna's guess, with the way out."""
    failure = StorageInternalError("An exception is raised during the commit. Perhaps ...")
    failure.__cause__ = OperationalError("INSERT", {}, Exception("database or disk is full"))
    said = message_of(failure)
    assert "database or disk is full" in said
    assert "room" in said
    assert "\n" not in said
    assert "INSERT" not in said

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.gpu.parts import Failed, Result, Turn
from tests.gpu.suite import SuiteFiles

TESTS = """
import os
from pathlib import Path
import pytest

pytestmark = pytest.mark.card

def count(name):
    with open(f"{name}.calls", "a") as stream:
        stream.write("x")

def test_passes():
    count("passes")

@pytest.mark.parametrize("number", [1, 2])
def test_fails(number):
    assert number == 2 or Path("mended").exists(), "one is not two"

def test_takes_the_process_with_it():
    Path("mended").exists() or os._exit(7)

def test_comes_after():
    count("after")

@pytest.mark.skip(reason="two cards")
def test_is_skipped():
    pass
"""


@pytest.fixture
def files(tmp_path: Path) -> SuiteFiles:
    """A suite with one file of marked tests, and one that cannot be imported and has none."""
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    card: needs one\n")
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "test_card.py").write_text(TESTS)
    (folder / "test_other.py").write_text("import nowhere_to_be_found\n")
    return SuiteFiles(tmp_path, "card", "tests")


def outcomes(result: Result) -> dict[str, str]:
    """What became of each test."""
    return {name.partition("::")[2]: kept["outcome"] for name, kept in result["tests"].items()}


def take(files: SuiteFiles, earlier: Result) -> tuple[Result, str]:
    """The last result of the only part, and how it failed."""
    (part,) = files.parts()
    result: Result = {}
    try:
        for result in part.take(Turn(earlier, lambda: 60.0)):  # noqa: B007 - the last one counts
            pass
    except Failed as error:
        return result, str(error)
    return result, ""


def test_every_outcome_is_kept_and_only_the_rest_is_repeated(
    files: SuiteFiles, tmp_path: Path
) -> None:
    """A failure has its message, a crash costs one test, and what has passed is not run again."""
    result, error = take(files, {})
    assert outcomes(result) == {
        "test_passes": "passed",
        "test_fails[1]": "failed",
        "test_fails[2]": "passed",
        "test_takes_the_process_with_it": "crashed",
        "test_comes_after": "passed",
        "test_is_skipped": "skipped",
    }
    tests: dict[str, Any] = result["tests"]
    assert "one is not two" in tests["tests/test_card.py::test_fails[1]"]["message"]
    crash = tests["tests/test_card.py::test_takes_the_process_with_it"]
    assert crash["message"] == "the process ended with 7"
    assert error == "2 of 6 tests of tests/test_card.py"

    (tmp_path / "mended").touch()
    again, error = take(files, result)
    assert (error, again["counts"]) == ("", {"passed": 5, "skipped": 1})
    assert (tmp_path / "passes.calls").read_text() == "x"
    assert (tmp_path / "after.calls").read_text() == "x"


def test_a_suite_without_such_tests_is_an_error(tmp_path: Path) -> None:
    """A marker that nothing has must not count as passed."""
    (tmp_path / "tests").mkdir()
    with pytest.raises(ValueError, match="no tests with the marker card"):
        SuiteFiles(tmp_path, "card", "tests").parts()

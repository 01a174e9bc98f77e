from __future__ import annotations

from pathlib import Path

import pytest

from search.errors import StudyFileError
from search.spec.study_file import StudyFile
from search.spec.toml import file_value
from tests.search.study_texts import GOOD, sections, written


def file_problem(path: Path) -> str:
    """The message with which a file as a whole is refused."""
    with pytest.raises(StudyFileError) as caught:
        StudyFile.load(path)
    (problem,) = caught.value.problems
    assert caught.value.path == path
    assert problem.key == ""
    return problem.message


def test_a_byte_order_mark_and_windows_line_ends_are_no_error(tmp_path: Path) -> None:
    """What Windows editors write loads the same."""
    path = tmp_path / "study.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert StudyFile.load(path).to_dict() == StudyFile.from_dict(sections()).to_dict()


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"[study\nname = 1", "line 1"),
        (b"[study]\nname = 'a'\nname = 'b'\n", "line 3"),
        (b"x = " + b"[" * 50_000, "too deeply"),
        (b"[study]\nname = '\xff'", "UTF-8 text (byte 16)"),
        (GOOD.encode("utf-16"), "UTF-8"),
        (b"# " + b"x" * (1 << 20), "1 MiB"),
        (b"x = 1" + b"0" * 5000, "4,300 digits"),
    ],
    ids=["syntax", "twice", "brackets", "latin1", "utf16", "huge", "digits"],
)
def test_files_that_are_no_toml(tmp_path: Path, content: bytes, hint: str) -> None:
    """Such a file is refused as a whole, with the place where there is one."""
    path = tmp_path / "study.toml"
    path.write_bytes(content)
    assert hint in file_problem(path)


def test_paths_that_are_no_file(tmp_path: Path) -> None:
    """A missing file, a directory and an impossible path are told apart."""
    assert "does not exist" in file_problem(tmp_path / "none.toml")
    assert "does not exist" in file_problem(Path("a\0b"))
    assert "not a file" in file_problem(tmp_path)
    assert "too long" in file_problem(tmp_path / ("x" * 5000))


def test_a_long_syntax_error_is_shortened(tmp_path: Path) -> None:
    """The middle of a long message goes, its place stays."""
    message = file_problem(written(tmp_path, f"[x{'.x' * 400}]\n" * 2))
    assert len(message) < 130
    assert "line 2" in message


def test_nesting_and_numbers_beyond_toml_are_refused(tmp_path: Path) -> None:
    """What would overwhelm other code is refused under its key."""
    with pytest.raises(StudyFileError, match=r"line 2: .* 500 dots"):
        StudyFile.load(written(tmp_path, f"\nx{'.x' * 50_000} = 1"))
    text = GOOD + f"fill = 0x{'f' * 5000}\nshear{'.x' * 100} = 1\n"
    with pytest.raises(StudyFileError) as caught:
        StudyFile.load(written(tmp_path, text))
    found = {problem.key: problem.message for problem in caught.value.problems}
    assert "64 bits" in found["recipe.augment.1.fill"]
    assert "too deeply" in found["recipe.augment"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a\n", r'"a\n"'),
        (True, "true"),
        ({"low": 1, "high": 2.5}, "{ low = 1, high = 2.5 }"),
        ([1, ["a"], {}], '[1, ["a"], {}]'),
    ],
)
def test_values_are_shown_as_toml(value: object, text: str) -> None:
    """Messages spell values as the file does, on one line."""
    assert file_value(value) == text


def test_long_values_are_shortened() -> None:
    """Not even a value of a megabyte fills the screen."""
    assert len(file_value("x" * 1_000_000)) < 120

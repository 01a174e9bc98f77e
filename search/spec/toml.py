"""Read TOML files from untrusted authors, and write values as TOML spells them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from search.errors import StudyFileError
from space.errors import Problem
from space.fields import show

__all__ = ["as_table", "file_value", "read_toml"]

MOST_BYTES = 1 << 20
MOST_LEVELS = 20
MOST_DOTS = 500

_LONGEST_SHOWN = 100
_LARGEST_INTEGER = 2**63  # TOML's own limit; a larger number may be too long to print


def read_toml(path: Path) -> dict[str, object]:
    """Read a TOML file, UTF-8 with or without a byte order mark.

    Raises:
        StudyFileError: the file does not exist, is not TOML, or is larger or more deeply nested
            than a study file can be.
    """
    try:
        text = _read_text(path)
        _refuse_long_keys(path, text)
        content = tomllib.loads(text)
    except OSError as error:
        message = f"cannot be read ({error.strerror}); give the path of a file"
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 text (byte {error.start}); save it as UTF-8"
    except tomllib.TOMLDecodeError as error:
        message = f"is not valid TOML: {_shortened(str(error))}"
    except ValueError:  # from int(), whose message is about Python
        message = "has a number of more than 4,300 digits; give a smaller one"
    except RecursionError:
        message = _TOO_DEEP
    else:
        problems = tuple(_excesses(content))
        if problems:
            raise StudyFileError(path, problems)
        return content
    raise StudyFileError(path, [Problem("", message)])


def as_table(value: object) -> dict[str, Any]:
    """Return a table's keys and values; an empty table for any other value."""
    return dict(value) if isinstance(value, Mapping) else {}


def file_value(value: object) -> str:
    """Write a value as TOML spells it, shortened when it is long."""
    return _shortened(show(value))


_TOO_DEEP = f"is nested too deeply; no key needs more than {MOST_LEVELS} levels"


def _read_text(path: Path) -> str:
    if "\0" in str(path) or not path.exists():
        raise StudyFileError(path, [Problem("", "the file does not exist; check the path")])
    if not path.is_file():
        raise StudyFileError(path, [Problem("", "is not a file; give the path of a file")])
    with path.open("rb") as stream:
        content = stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise StudyFileError(
            path, [Problem("", "is larger than 1 MiB; a study or ladder file is smaller")]
        )
    return content.decode("utf-8-sig")


def _refuse_long_keys(path: Path, text: str) -> None:
    """Refuse keys of many parts: ``tomllib`` takes quadratic time, over a minute for 50,000."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > MOST_DOTS:
            message = f"more than {MOST_DOTS} dots in a line; write shorter lines"
            raise StudyFileError(path, [Problem(f"line {number}", message)])


def _excesses(content: Mapping[str, object]) -> Iterator[Problem]:
    """Find nesting and numbers that no study file needs, so that other code never meets them."""
    waiting: list[tuple[tuple[str, ...], object]] = [((), content)]
    while waiting:
        place, value = waiting.pop()
        if len(place) > MOST_LEVELS:
            yield Problem(".".join(place[:2]), _TOO_DEEP)
        elif isinstance(value, dict):
            waiting += (((*place, key), item) for key, item in value.items())
        elif isinstance(value, list):
            waiting += (((*place, str(index)), item) for index, item in enumerate(value, 1))
        elif type(value) is int and not -_LARGEST_INTEGER <= value < _LARGEST_INTEGER:
            yield Problem(".".join(place), "is a number of more than 64 bits; give a smaller one")


def _shortened(text: str) -> str:
    """Cut out the middle; the end of a syntax error says where it is."""
    half = _LONGEST_SHOWN // 2
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:half]} ... {text[-half:]}"

"""``flyweight validate``: every error of study and ladder files at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from search.errors import StudyFileError
from search.ladder_file import LadderFile
from search.study_file import StudyFile
from search.toml_text import read_toml

__all__ = ["validate"]


def validate(files: Iterable[Path]) -> list[StudyFileError]:
    """Checks study and ladder files and returns the errors of those that are wrong.

    A file with a ``[ladder]`` or a ``[[step]]`` is a ladder. What depends on the images of a
    folder, such as the cost of a candidate, is checked when the study begins.
    """
    errors = []
    for path in files:
        try:
            kind = LadderFile if LadderFile.recognises(read_toml(path)) else StudyFile
            kind.load(path)
        except StudyFileError as error:
            errors.append(error)
    return errors

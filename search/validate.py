"""``flyweight validate``: every error of study files at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from search.errors import StudyFileError
from search.study_file import StudyFile

__all__ = ["validate"]


def validate(files: Iterable[Path]) -> list[StudyFileError]:
    """Checks study files and returns the errors of those that are wrong.

    What depends on the images of a folder, such as the cost of a candidate, is checked when the
    study begins.
    """
    errors = []
    for path in files:
        try:
            StudyFile.load(path)
        except StudyFileError as error:
            errors.append(error)
    return errors

"""``flyweight validate``: find every error of study and ladder files at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from search.errors import StudyFileError
from search.spec.ladder_file import LadderFile
from search.spec.study_file import StudyFile
from search.spec.toml import read_toml
from search.study.start_from import find_starts
from trainer.data import known_shape

__all__ = ["validate"]


def validate(files: str | Path | Iterable[str | Path]) -> list[StudyFileError]:
    """Check study and ladder files and return the errors of those that are wrong.

    A file with a ``[ladder]`` or a ``[[step]]`` is a ladder. Checks that need the images of a
    folder, such as the cost of a candidate, run when the study begins.

    Args:
        files: the path of one file, or the paths of several.
    """
    errors = []
    for path in [files] if isinstance(files, str | Path) else files:
        try:
            _check(Path(path))
        except StudyFileError as error:
            errors.append(error)
    return errors


def _check(path: Path) -> None:
    if LadderFile.recognises(read_toml(path)):
        LadderFile.load(path)
        return
    file = StudyFile.load(path)
    if known := known_shape(file.settings.dataset):
        find_starts(file, *known)

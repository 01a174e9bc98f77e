"""The folder of a study's weights, found again after the study was moved or copied."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.errors import StorageError
from search.storage.urls import sqlite_path

__all__ = [
    "ArtifactFolders",
    "artifacts_beside",
    "find_artifacts",
    "is_own_folder",
    "place_to_keep",
    "shown_place",
]

# The key of the absolute path, the only one that version 0.1.0 writes and reads.
_ABSOLUTE = "artifacts"
# The key of the path from the database's folder, if the artifacts are below that folder.
_RELATIVE = "artifacts_below_database"


def artifacts_beside(url: str) -> Path:
    """Return the default folder of artifacts: beside an SQLite file, else below ``studies/``."""
    path = sqlite_path(url)
    return (path.parent if path is not None else Path("studies")) / "artifacts"


def place_to_keep(artifacts: Path, url: str) -> dict[str, str]:
    """Return the keys in which a study stores the place of its artifacts.

    Args:
        artifacts: the folder.
        url: of the study's database.
    """
    folder, path = artifacts.resolve(), sqlite_path(url)
    place = {_ABSOLUTE: str(folder)}
    if path is not None and folder.is_relative_to(beside := path.parent.resolve()):
        place[_RELATIVE] = folder.relative_to(beside).as_posix()
    return place


@dataclass(frozen=True)
class ArtifactFolders:
    """The folders in which a study's artifacts may lie.

    Attributes:
        folder: where they lie, and where new ones go.
        others: other folders in which single files may have stayed behind.
        lost: whether the study has kept files, and none of them is in any folder.
    """

    folder: Path
    others: tuple[Path, ...] = ()
    lost: bool = False

    @property
    def all(self) -> tuple[Path, ...]:
        """All folders, in the order in which a file is looked for."""
        return self.folder, *self.others

    def make(self, study: str) -> None:
        """Make the folder where it is missing and nothing was kept in it yet.

        Args:
            study: the study's name.

        Raises:
            StorageError: the folder cannot be made, or all that the study has kept is missing.
        """
        if self.lost and not _is_empty(self.folder):
            raise StorageError(
                f"the weights of the study {study!r} are missing; they are not in "
                f"{' or '.join(map(str, self.all))}; put them back into one of these folders, or "
                f"make an empty folder {self.folder} to go on without them"
            )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"{self.folder} cannot hold the weights of the study {study!r}: "
                f"{error.strerror}; make a folder possible there, or begin the study under "
                "another name with another --artifacts"
            ) from error


def find_artifacts(kept: Mapping[str, Any], url: str, files: Collection[str]) -> ArtifactFolders:
    """Find the folder of a study's artifacts again, wherever the study was moved or copied.

    The folder is the one that holds most of the study's files; of equals the one that moves with
    the database. Where the study has none yet, it is the place that the study keeps.

    Args:
        kept: what the study keeps, see :func:`place_to_keep`.
        url: of the study's database as it was opened.
        files: the names of the files that the study has kept so far.

    Raises:
        KeyError: the study has not stored a place.
        TypeError: the stored place is not a path.
    """
    absolute, path = Path(kept[_ABSOLUTE]).resolve(), sqlite_path(url)
    below = (path.parent / kept[_RELATIVE]).resolve() if path and _RELATIVE in kept else None
    beside = artifacts_beside(url).resolve() if path else None
    moving = [place for place in (below, beside, absolute) if place is not None]
    held = {place: sum(_is_file(place / name) for name in files) for place in moving}
    if any(held.values()):
        folder = max(held, key=lambda place: held[place])
    else:
        stays = [place for place in (below, absolute, beside) if place is not None]
        folder = next(filter(_is_folder, stays), stays[0])
    others = tuple(place for place in held if place != folder)
    return ArtifactFolders(folder, others, lost=bool(files) and not any(held.values()))


def is_own_folder(folder: Path, kept: Mapping[str, Any], url: str) -> bool:
    """Return whether the files in the folder of a study's artifacts are surely those of the study.

    They are not where a database was copied without the artifacts below it: what is found then are
    the files of the study that it is a copy of.

    Args:
        folder: where the artifacts were found.
        kept: what the study keeps, see :func:`place_to_keep`.
        url: of the study's database as it was opened.
    """
    path = sqlite_path(url)
    if path is None or _RELATIVE not in kept:
        return True
    return folder.resolve().is_relative_to(path.parent.resolve())


def shown_place(kept: Mapping[str, Any]) -> Any:
    """Return the place of a study's artifacts for display, relative to the database if possible."""
    return kept.get(_RELATIVE, kept.get(_ABSOLUTE))


def _is_folder(path: Path) -> bool:
    # Unlike Path.is_dir, this takes a folder that may not be looked at for one that is not there.
    return os.path.isdir(path)  # noqa: PTH112


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113


def _is_empty(folder: Path) -> bool:
    return _is_folder(folder) and not any(folder.iterdir())

"""Where a study's weights lie: a folder that is found again after the study was moved or copied."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from search.errors import StorageError
from search.storage.urls import sqlite_path

__all__ = ["artifacts_beside", "artifacts_of", "make_artifacts", "place_to_keep", "shown_place"]

# As an absolute path, which version 0.1.0 kept alone and still reads.
_ABSOLUTE = "artifacts"
# From the database's folder, where the artifacts lie below that.
_RELATIVE = "artifacts_below_database"


def artifacts_beside(url: str) -> Path:
    """Return the default folder of artifacts: beside an SQLite file, else below ``studies/``."""
    path = sqlite_path(url)
    return (path.parent if path is not None else Path("studies")) / "artifacts"


def place_to_keep(artifacts: Path, url: str) -> dict[str, str]:
    """Return what a study keeps of the place of its artifacts.

    Args:
        artifacts: the folder.
        url: of the study's database.
    """
    folder, path = artifacts.resolve(), sqlite_path(url)
    place = {_ABSOLUTE: str(folder)}
    if path is not None and folder.is_relative_to(beside := path.parent.resolve()):
        place[_RELATIVE] = folder.relative_to(beside).as_posix()
    return place


def artifacts_of(kept: Mapping[str, Any], url: str) -> Path:
    """Find the folder of a study's artifacts again.

    It is looked for in this order: at its place below the database's folder, which moves with the
    study; at its absolute path; and, where that is gone, beside the database, for a study of
    version 0.1.0 that was moved.

    Args:
        kept: what the study keeps, see :func:`place_to_keep`.
        url: of the study's database as it was opened.

    Returns:
        The first of these folders that is there; where none is, the first.

    Raises:
        KeyError: the study keeps no place.
        TypeError: it keeps something that is not a path.
    """
    places = [place.resolve() for place in _places(kept, url)]
    # Unlike Path.is_dir, this takes a folder that may not be looked at for one that is not there.
    return next((place for place in places if os.path.isdir(place)), places[0])  # noqa: PTH112


def shown_place(kept: Mapping[str, Any]) -> Any:
    """Return the place that a study keeps as people read it: from the database where it can be."""
    return kept.get(_RELATIVE, kept.get(_ABSOLUTE))


def make_artifacts(folder: Path, study: str, *, has_weights: bool) -> None:
    """Make the folder of a study's artifacts where it is missing.

    Args:
        folder: the folder.
        study: the study's name.
        has_weights: whether the study has kept weights before; then the folder is not made.

    Raises:
        StorageError: the folder cannot be made, or is missing although weights were kept in it.
    """
    if has_weights and not folder.exists():
        raise StorageError(
            f"{folder} is missing, the folder with the weights of the study {study!r}; put it "
            "back there, or make an empty folder there to go on without those weights"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"{folder} cannot hold the weights of the study {study!r}: {error.strerror}; "
            "use another --artifacts"
        ) from error


def _places(kept: Mapping[str, Any], url: str) -> Iterator[Path]:
    path = sqlite_path(url)
    if path is not None and _RELATIVE in kept:
        yield path.parent / kept[_RELATIVE]
    yield Path(kept[_ABSOLUTE])
    if path is not None:
        yield artifacts_beside(url)

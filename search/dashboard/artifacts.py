"""The weights of studies, for optuna-dashboard to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NoReturn

from optuna.artifacts import FileSystemArtifactStore
from optuna.artifacts.exceptions import ArtifactNotFound
from optuna.storages import RDBStorage

from search.storage.artifacts import artifacts_beside, find_artifacts

__all__ = ["ReadOnlyArtifacts"]


class ReadOnlyArtifacts:
    """The artifacts of all studies of a database, each read from the folder of its study.

    Args:
        source: the database.
        url: of the database.
    """

    def __init__(self, source: RDBStorage, url: str) -> None:
        self._source = source
        self._url = url

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """Open an artifact; raise ``ArtifactNotFound`` if no folder has it."""
        for folder in self._folders():
            try:
                return FileSystemArtifactStore(folder).open_reader(artifact_id)
            except (ArtifactNotFound, NotADirectoryError):
                continue
        raise ArtifactNotFound(f"no study of this database has the artifact {artifact_id}")

    def write(self, artifact_id: str, content_body: BinaryIO) -> NoReturn:
        """Refuse, because the dashboard only reads."""
        raise PermissionError("the dashboard only reads")

    def remove(self, artifact_id: str) -> NoReturn:
        """Refuse, because the dashboard only reads."""
        raise PermissionError("the dashboard only reads")

    def _folders(self) -> Iterator[Path]:
        yield artifacts_beside(self._url)
        for study in self._source.get_all_studies():
            kept = study.user_attrs.get("flyweight")
            if isinstance(kept, Mapping):
                # Another program may have a study with such an attribute.
                with suppress(KeyError, TypeError, ValueError):
                    yield from find_artifacts(kept, self._url, ()).all

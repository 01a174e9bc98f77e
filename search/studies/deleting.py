"""``flyweight studies delete``."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from search.storage.artifacts import is_own_folder
from search.storage.claims import delete_claims
from search.storage.database import quiet_optuna
from search.storage.rdb_storage import StudyStorage
from search.storage.urls import DEFAULT_STORAGE
from search.study.in_use import changing
from search.study.study import kept_files, open_study

__all__ = ["delete_study", "remove_study"]


def delete_study(study: str, *, storage: str = DEFAULT_STORAGE, force: bool = False) -> Path | None:
    """Delete a study with its trials, confirms and weights; this cannot be undone.

    Args:
        study: name of the study.
        storage: URL of the study database.
        force: whether workers on other machines count as dead.

    Returns:
        The folder of its weights if they were left there, else None. They are left where the
        database was copied without them, for then they may be those of the other database's study.

    Raises:
        InputError: workers hold work of the study.
        StorageError: there is no such study.
    """
    quiet_optuna()
    stored = open_study(study, storage, writing=True)
    with changing(stored, "delete", force=force):
        own = is_own_folder(stored.artifacts, stored.kept, storage)
        left = not own and any(
            (stored.artifacts / name).exists() for name in kept_files(stored.storage, stored.id)
        )
        # Of other folders that were found, nobody knows whose they are.
        remove_study(stored.storage, stored.id, stored.artifacts if own else None)
    return stored.artifacts if left else None


def remove_study(storage: StudyStorage, study_id: int, folder: Path | None) -> None:
    """Delete a study, its claims, and its files in a folder.

    Args:
        storage: of the study.
        study_id: the study's number in the storage.
        folder: that holds its files; None to leave them.
    """
    files = kept_files(storage, study_id)
    # SQLite may give the number of a deleted study to the next one, which must find no claims.
    delete_claims(storage.engine, study_id)
    storage.delete_study(study_id)
    if folder is None:
        return
    # Last, so that no study is ever left without its weights.
    for name in files:
        with suppress(OSError):
            (folder / name).unlink()

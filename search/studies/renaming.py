"""``flyweight studies rename``."""

from __future__ import annotations

from search.errors import StorageError
from search.storage.database import quiet_optuna
from search.storage.optuna_private import rename_study as rename_in_storage
from search.storage.urls import DEFAULT_STORAGE, shown_url
from search.study.in_use import changing
from search.study.study import STUDY_ATTRIBUTE, open_study, with_name

__all__ = ["rename_study"]


def rename_study(
    study: str, new: str, *, storage: str = DEFAULT_STORAGE, force: bool = False
) -> None:
    """Give a study another name; its trials, weights and confirms stay as they are.

    A later ``run`` finds it by a study file of the new name.

    Args:
        study: name of the study.
        new: lower case letters, digits and hyphens.
        storage: URL of the study database.
        force: whether workers on other machines count as dead.

    Raises:
        InputError: workers hold work of the study.
        StorageError: there is no such study, or one of the new name.
        StudyFileError: the new name cannot be a study's.
    """
    quiet_optuna()
    stored = open_study(study, storage, writing=True)
    kept = {**stored.kept, "file": with_name(stored.kept["file"], new)}
    with changing(stored, "rename", force=force):
        engine = stored.storage.engine
        if rename_in_storage(engine, stored.id, new, STUDY_ATTRIBUTE, kept):
            return
        raise StorageError(f"{shown_url(storage)} has a study {new!r} already; give another name")

"""Databases of a test, and what is said of those that cannot be opened."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest

from search.errors import StorageError
from search.storage.database import open_storage


def url_of(path: Path) -> str:
    """The URL of a file."""
    return f"sqlite:///{path}"


def made(folder: Path) -> str:
    """The URL of a new database with a study ``s``."""
    url = url_of(folder / "study.db")
    optuna.create_study(
        storage=open_storage(url, create=True), study_name="s", direction="maximize"
    )
    return url


def refusal(url: str, **how: bool) -> str:
    """What is said of a database that cannot be opened."""
    with pytest.raises(StorageError) as caught:
        open_storage(url, **how)
    assert "\n" not in str(caught.value)
    return str(caught.value)

"""Open the study database: an SQLite file or a server."""

from __future__ import annotations

import sqlite3
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import optuna
from sqlalchemy import create_engine, inspect
from sqlalchemy.exc import SQLAlchemyError

from search.errors import StorageError
from search.storage import sqlite
from search.storage.rdb_storage import StudyStorage
from search.storage.tables import make_tables
from search.storage.urls import shown_url, sqlite_path

__all__ = ["has_no_studies", "open_storage", "quiet_optuna"]


def open_storage(url: str, *, create: bool = False, writing: bool = True) -> StudyStorage:
    """Open a study database.

    Args:
        url: an SQLAlchemy URL; ``postgresql://`` means psycopg 3.
        create: whether to make a database that does not exist.
        writing: whether the caller will write.

    Raises:
        StorageError: the database does not exist, or it cannot be used.
    """
    place = shown_url(url)
    path = sqlite_path(url)
    kwargs: dict[str, Any] = {"pool_pre_ping": True}
    try:
        if path is not None:
            sqlite.prepare_file(path, _make, create=create, writing=writing)
            kwargs = {"connect_args": {"timeout": sqlite.BUSY_SECONDS}}
        # Even a reader may start while another process is still making the tables.
        return make_tables(partial(StudyStorage, url, kwargs, create=create, writing=writing))
    except ImportError as error:
        raise StorageError(f"{place} needs {_missing_driver(error)}") from error
    except RuntimeError as error:
        raise StorageError(
            f"{place} has the schema of another version of Optuna, not of {optuna.__version__}; "
            "upgrade it with 'optuna storage upgrade' or use another --storage"
        ) from error
    except (SQLAlchemyError, sqlite3.Error, optuna.exceptions.OptunaError) as error:
        cause = error.__cause__ or error
        raise StorageError(
            f"{place} cannot be opened: {_first_line(cause)}; {_way_out(path)}"
        ) from error
    except (OSError, ValueError) as error:
        raise StorageError(
            f"{place} cannot be opened: {_first_line(error)}; use another --storage"
        ) from error


def has_no_studies(url: str) -> bool:
    """Return whether the database is missing or has no tables; change nothing.

    Raises:
        StorageError: the text is not a database URL, or its file is not a database.
    """
    path = sqlite_path(url)
    if path is not None:
        try:
            return not path.exists() or (path.is_file() and not sqlite.table_names(path))
        except (OSError, ValueError) as error:
            raise StorageError(
                f"{shown_url(url)} cannot be opened: {_first_line(error)}; use another --storage"
            ) from error
    try:
        engine = create_engine(url)
        try:
            return not inspect(engine).has_table("studies")
        finally:
            engine.dispose()
    except (ImportError, SQLAlchemyError):
        return False  # opening it raises the reason


def quiet_optuna() -> None:
    """Keep Optuna's log lines and experimental warnings out of flyweight's output."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)


def _make(url: str) -> None:
    StudyStorage(url, {}, create=True, writing=True).engine.dispose()


def _missing_driver(error: ImportError) -> str:
    missing = getattr(error.__cause__ or error, "name", None)
    if missing == "psycopg":
        return "the package psycopg; pip install 'flyweight[postgres]'"
    needed = f"the package {missing}" if missing else "a package that is not installed"
    return f"{needed}; flyweight supports SQLite and PostgreSQL"


def _way_out(path: Path | None) -> str:
    if path is None:
        return "check that the server runs and that --storage names it"
    return "restore it from a copy or use another --storage"


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]

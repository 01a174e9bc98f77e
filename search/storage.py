"""The study database: where it lies, and opening it with settings that several processes need."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import optuna
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from search.errors import StorageError
from search.study_storage import StudyStorage

__all__ = [
    "DEFAULT_STORAGE",
    "artifacts_beside",
    "open_storage",
    "quiet_optuna",
    "shown_url",
    "sqlite_path",
]

DEFAULT_STORAGE = "sqlite:///studies/study.db"
_BUSY_SECONDS = 60


def open_storage(url: str, *, create: bool = False, writing: bool = True) -> StudyStorage:
    """Opens a study database.

    Args:
        url: an SQLAlchemy URL; ``postgresql://`` means psycopg 3.
        create: whether to make a database that does not exist.
        writing: whether the caller will write.

    Raises:
        StorageError: if there is no database at the place, or it cannot be used.
    """
    place = shown_url(url)
    path = sqlite_path(url)
    kwargs: dict[str, Any] = {"pool_pre_ping": True}
    try:
        if path is not None:
            _check_file(path, create=create, writing=writing)
            kwargs = {"connect_args": {"timeout": _BUSY_SECONDS}}
        return StudyStorage(url, kwargs, create=create, writing=writing)
    except ImportError as error:
        missing = getattr(error.__cause__ or error, "name", None) or "of its driver"
        package = "'flyweight[postgres]'" if missing == "psycopg" else missing
        raise StorageError(f"{place} needs the package {missing}; pip install {package}") from error
    except RuntimeError as error:
        raise StorageError(
            f"{place} has the schema of another Optuna ({_first_line(error)}); "
            "upgrade it with 'optuna storage upgrade' or use another --storage"
        ) from error
    except (SQLAlchemyError, sqlite3.Error, optuna.exceptions.OptunaError) as error:
        cause = error.__cause__ or error
        raise StorageError(f"{place} cannot be opened: {_first_line(cause)}") from error


def sqlite_path(url: str) -> Path | None:
    """Returns the file of an SQLite URL, None for another kind of database.

    Raises:
        StorageError: if the URL is none, or names an SQLite database in memory.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() != "sqlite":
        return None
    database = parsed.database or ""
    if not database or database == ":memory:" or database.startswith("file:"):
        raise StorageError(f"--storage {url}: workers need a file, such as {DEFAULT_STORAGE}")
    return Path(database)


def shown_url(url: str) -> str:
    """Returns a database URL as messages may show it: without its password.

    Raises:
        StorageError: if the URL is none.
    """
    return _parsed(url).render_as_string(hide_password=True)


def artifacts_beside(url: str) -> Path:
    """Returns the default folder of artifacts: beside an SQLite file, else under studies/."""
    path = sqlite_path(url)
    return (path.parent if path is not None else Path("studies")) / "artifacts"


def quiet_optuna() -> None:
    """Keeps Optuna's own log lines and experimental warnings out of our output."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise StorageError(
            f"--storage {url!r} is no database URL; write it as {DEFAULT_STORAGE}"
        ) from None
    return parsed


def _check_file(path: Path, *, create: bool, writing: bool) -> None:
    if not path.exists():
        if not create:
            raise StorageError(f"{path}: there is no study database; start one with flyweight run")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _make_database(path)
        except OSError as error:
            raise StorageError(f"{path} cannot be made: {error.strerror}") from error
        return
    if not path.is_file():
        raise StorageError(f"{path} is no file; name a database file in --storage")
    if not os.access(path, os.R_OK):
        raise StorageError(f"{path} cannot be read; change its rights or use another --storage")
    if writing and not os.access(path, os.W_OK):
        raise StorageError(f"{path} is read-only; make it writable or use another --storage")
    _check_tables(path)


def _make_database(path: Path) -> None:
    """Makes a database without studies in one step, whoever else is making the same one."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        made = Path(folder) / path.name
        url = URL.create("sqlite", database=str(made)).render_as_string()
        StudyStorage(url, {}, create=True, writing=True).engine.dispose()
        # Where another process was first its database stays. A file system without hard links
        # has the tables made in place.
        with suppress(OSError):
            os.link(made, path)


def _check_tables(path: Path) -> None:
    try:
        uri = f"{path.resolve().as_uri()}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS)
        try:
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            tables = {name for (name,) in rows}
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        raise StorageError(f"{path} cannot be opened: {error}") from error
    except sqlite3.DatabaseError as error:
        raise StorageError(
            f"{path} is no SQLite database ({error}); use another --storage"
        ) from error
    if tables and not {"studies", "trials", "version_info"} <= tables:
        raise StorageError(f"{path} is the database of another program; use another --storage")


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]

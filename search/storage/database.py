"""The study database: where it lies, and opening it with settings that several processes need."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import warnings
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import optuna
from optuna.storages._rdb.models import BaseModel
from sqlalchemy import create_engine, inspect
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from search.errors import StorageError
from search.storage.rdb_storage import StudyStorage
from search.storage.tables import make_tables

__all__ = [
    "DEFAULT_STORAGE",
    "holds_nothing",
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
        # Even a reader may come while another process is still making the tables.
        return make_tables(partial(StudyStorage, url, kwargs, create=create, writing=writing))
    except ImportError as error:
        missing = getattr(error.__cause__ or error, "name", None) or "of its driver"
        way_out = "flyweight is made for SQLite and PostgreSQL"
        if missing == "psycopg":
            way_out = "pip install 'flyweight[postgres]'"
        raise StorageError(f"{place} needs the package {missing}; {way_out}") from error
    except RuntimeError as error:
        raise StorageError(
            f"{place} has the schema of another Optuna than {optuna.__version__}; "
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


def sqlite_path(url: str) -> Path | None:
    """Returns the file of an SQLite URL, None for another kind of database.

    Raises:
        StorageError: if the URL is none, or names an SQLite database in memory.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() != "sqlite":
        return None
    if parsed.get_driver_name() != "pysqlite":
        raise StorageError(f"--storage {url}: write it as {DEFAULT_STORAGE}")
    database = parsed.database or ""
    if not database or database == ":memory:" or database.startswith("file:"):
        raise StorageError(f"--storage {url}: workers need a file, such as {DEFAULT_STORAGE}")
    return Path(database)


def holds_nothing(url: str) -> bool:
    """Tells whether there is no database yet, or one without tables; changes nothing.

    Raises:
        StorageError: if the URL is none, or leads to what is no database.
    """
    path = sqlite_path(url)
    if path is not None:
        try:
            return not path.exists() or (path.is_file() and not _tables(path))
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
        return False  # opening it tells why


def shown_url(url: str) -> str:
    """Returns a database URL as messages may show it: without its password.

    Raises:
        StorageError: if the URL is none.
    """
    return _parsed(url).render_as_string(hide_password=True)


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
    if not path.exists() and not path.is_symlink():
        if not create:
            raise StorageError(
                f"{path.absolute()}: there is no study database; start one with flyweight run, or "
                "name another in --storage"
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _make_database(path)
        except OSError as error:
            raise StorageError(
                f"{path} cannot be made: {error.strerror}; use another --storage"
            ) from error
        return
    if not path.is_file():
        raise StorageError(f"{path} is no file; name a database file in --storage")
    if not os.access(path, os.R_OK):
        raise StorageError(f"{path} cannot be read; change its rights or use another --storage")
    if writing and not os.access(path, os.W_OK):
        raise StorageError(f"{path} is read-only; make it writable or use another --storage")
    _check_tables(path, create=create)


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


def _check_tables(path: Path, *, create: bool) -> None:
    tables = _tables(path)
    if not tables and not create:
        raise StorageError(f"{path} holds no study yet; start one with flyweight run")
    if tables and not {"studies", "trials", "version_info"} <= tables:
        raise StorageError(f"{path} is the database of another program; use another --storage")
    missing = sorted(BaseModel.metadata.tables.keys() - tables)
    if tables and missing:
        raise StorageError(
            f"{path} lacks the table {missing[0]}: it is damaged, or of an older Optuna; restore "
            "it from a copy, upgrade it with 'optuna storage upgrade' or use another --storage"
        )


def _tables(path: Path) -> set[str]:
    """Returns the names of an SQLite database's tables without changing it."""
    try:
        uri = f"{path.resolve().as_uri()}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS)
        try:
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            return {name for (name,) in rows}
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        raise StorageError(f"{path} cannot be opened: {error}; use another --storage") from error
    except sqlite3.DatabaseError as error:
        raise StorageError(
            f"{path} is no SQLite database or is damaged ({error}); "
            "restore it from a copy or use another --storage"
        ) from error


def _way_out(path: Path | None) -> str:
    if path is None:
        return "see that the server runs and that --storage names it"
    return "restore it from a copy or use another --storage"


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]

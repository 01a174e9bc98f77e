"""The study database: Optuna's storage with the settings that several processes need."""

from __future__ import annotations

import os
import sqlite3
import warnings
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import RDBStorage
from sqlalchemy import Engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from search.errors import StorageError

__all__ = ["DEFAULT_STORAGE", "artifacts_beside", "open_storage", "quiet_optuna", "sqlite_path"]

DEFAULT_STORAGE = "sqlite:///studies/study.db"
_BUSY_SECONDS = 60


def open_storage(url: str, *, create: bool = False, writing: bool = True) -> RDBStorage:
    """Opens a study database.

    SQLite is used in WAL mode with a long busy timeout. A writer's transactions begin with
    ``BEGIN IMMEDIATE``: Optuna's row locks do nothing on SQLite, and two workers would otherwise
    pop the same queued trial. A reader's begin deferred, so that it blocks nobody.

    Args:
        url: an SQLAlchemy URL; ``postgresql://`` means psycopg 3.
        create: whether to make a database that does not exist.
        writing: whether the caller will write.

    Raises:
        StorageError: if there is no database at the place, or it cannot be used.
    """
    place = _parsed(url)
    path = sqlite_path(url)
    if path is not None:
        _check_file(path, create=create, writing=writing)
    kwargs: dict[str, Any] = {"pool_pre_ping": path is None}
    if path is not None:
        kwargs = {"connect_args": {"timeout": _BUSY_SECONDS}}
    try:
        storage = RDBStorage(url, engine_kwargs=kwargs, skip_table_creation=not create)
        if path is not None:
            _tune_sqlite(storage.engine, writing=writing)
    except ModuleNotFoundError as error:
        raise StorageError(
            f"{place} needs the package {error.name}; pip install 'flyweight[postgres]'"
        ) from error
    except RuntimeError as error:
        raise StorageError(
            f"{place} has the schema of another Optuna ({_first_line(error)}); "
            "upgrade it with 'optuna storage upgrade' or use another --storage"
        ) from error
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise StorageError(f"{place} cannot be opened: {_first_line(error)}") from error
    return storage


def sqlite_path(url: str) -> Path | None:
    """Returns the file of an SQLite URL, None for another kind of database.

    Raises:
        StorageError: if the URL is none, or names an SQLite database in memory.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() != "sqlite":
        return None
    if not parsed.database or parsed.database == ":memory:":
        raise StorageError(f"--storage {url}: workers need a file, such as {DEFAULT_STORAGE}")
    return Path(parsed.database)


def artifacts_beside(url: str) -> Path:
    """Returns the default folder of artifacts: beside an SQLite file, else under studies/."""
    path = sqlite_path(url)
    return (path.parent if path is not None else Path("studies")) / "artifacts"


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise StorageError(
            f"--storage {url!r} is no database URL; write it as {DEFAULT_STORAGE}"
        ) from None


def _check_file(path: Path, *, create: bool, writing: bool) -> None:
    if not path.exists():
        if not create:
            raise StorageError(f"{path}: there is no study database; start one with flyweight run")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{path.parent} cannot be made: {error.strerror}") from error
        return
    if not path.is_file():
        raise StorageError(f"{path} is no file; name a database file in --storage")
    if not os.access(path, os.R_OK) or (writing and not os.access(path, os.W_OK)):
        raise StorageError(f"{path} is read-only; make it writable or use another --storage")
    _check_tables(path)


def _check_tables(path: Path) -> None:
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            tables = {name for (name,) in rows}
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        raise StorageError(
            f"{path} is no SQLite database ({error}); use another --storage"
        ) from error
    if tables and not {"studies", "trials", "version_info"} <= tables:
        raise StorageError(f"{path} is the database of another program; use another --storage")


def _tune_sqlite(engine: Engine, *, writing: bool) -> None:
    begin = "BEGIN IMMEDIATE" if writing else "BEGIN DEFERRED"

    def on_connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        if writing:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")

    def on_begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    # Optuna has opened connections already, without these settings.
    engine.dispose()


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def quiet_optuna() -> None:
    """Keeps Optuna's own log lines and experimental warnings out of our output."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)

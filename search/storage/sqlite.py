"""SQLite for several processes: its files and tables, write-ahead log, transactions and locks.

SQLite raises ``database is locked`` when a process has waited for another's transaction longer than
the busy timeout. Here that timeout is a minute, readers never wait (write-ahead log), and a writer
takes the lock as its transaction begins (``BEGIN IMMEDIATE``).
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL

from search.errors import StorageError
from search.storage.optuna_private import OPTUNA_TABLES

__all__ = ["BUSY_SECONDS", "prepare_file", "table_names", "tune"]

BUSY_SECONDS = 60
"""The seconds that a process waits for another's transaction before SQLite gives up."""


def tune(engine: Engine, *, writing: bool) -> None:
    """Set an engine up for several processes.

    Optuna's row locks do nothing on SQLite: two workers would both take the same queued trial if
    their transactions did not begin with the lock. A reader begins without it and blocks nobody.

    Args:
        engine: of an SQLite database.
        writing: whether this process will write.
    """
    begin = "BEGIN IMMEDIATE" if writing else "BEGIN DEFERRED"

    def on_connect(connection: sqlite3.Connection, _record: object) -> None:
        # The driver would begin deferred transactions by itself.
        connection.isolation_level = None
        if writing:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    # Optuna has opened connections already, without these settings.
    engine.dispose()


def prepare_file(path: Path, make: Callable[[str], object], *, create: bool, writing: bool) -> None:
    """Check the file of a study database, and create it if it is missing.

    Args:
        path: the file.
        make: makes a database without studies at an SQLite URL.
        create: whether to create a missing file and to accept an empty one.
        writing: whether the caller will write.

    Raises:
        StorageError: the file cannot be used or created, or is missing while ``create`` is false.
    """
    if not path.exists() and not path.is_symlink():
        if not create:
            raise StorageError(
                f"the study database {path.absolute()} does not exist; start a study with "
                "flyweight run, or name another database with --storage"
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _create(path, make)
        except OSError as error:
            raise StorageError(
                f"{path} cannot be created: {error.strerror}; use another --storage"
            ) from error
        return
    if not path.is_file():
        raise StorageError(f"{path} is not a file; name a database file with --storage")
    if not os.access(path, os.R_OK):
        raise StorageError(
            f"{path} cannot be read; change its permissions or use another --storage"
        )
    if writing and not os.access(path, os.W_OK):
        raise StorageError(f"{path} is read-only; make it writable or use another --storage")
    _check_tables(path, create=create)


def table_names(path: Path) -> set[str]:
    """Return the names of a database's tables without changing it.

    Raises:
        StorageError: the file is not an SQLite database, or cannot be opened.
    """
    try:
        uri = f"{path.resolve().as_uri()}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)
        try:
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            return {name for (name,) in rows}
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        raise StorageError(f"{path} cannot be opened: {error}; use another --storage") from error
    except sqlite3.DatabaseError as error:
        raise StorageError(
            f"{path} is not an SQLite database or is damaged ({error}); "
            "restore it from a copy or use another --storage"
        ) from error


def _create(path: Path, make: Callable[[str], object]) -> None:
    """Create a database in one step, even where other processes create the same one."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        made = Path(folder) / path.name
        make(URL.create("sqlite", database=str(made)).render_as_string())
        # If another process was first, its database stays. On a file system without hard links
        # the tables are made in place.
        with suppress(OSError):
            os.link(made, path)


def _check_tables(path: Path, *, create: bool) -> None:
    tables = table_names(path)
    if not tables and not create:
        raise StorageError(f"{path} has no study yet; start one with flyweight run")
    if tables and not {"studies", "trials", "version_info"} <= tables:
        raise StorageError(f"{path} is the database of another program; use another --storage")
    missing = sorted(OPTUNA_TABLES - tables)
    if tables and missing:
        raise StorageError(
            f"{path} lacks the table {missing[0]}: it is damaged, or from an older Optuna; restore "
            "it from a copy, upgrade it with 'optuna storage upgrade' or use another --storage"
        )

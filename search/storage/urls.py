"""Read database URLs, and show them in messages."""

from __future__ import annotations

import shlex
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from search.errors import StorageError

__all__ = ["DEFAULT_STORAGE", "shown_url", "sqlite_path", "storage_option"]

DEFAULT_STORAGE = "sqlite:///studies/study.db"

_SQLITE_OPTIONS = frozenset(
    {"timeout", "check_same_thread", "isolation_level", "detect_types", "cached_statements"}
)
"""Of Python's ``sqlite3.connect``, which SQLAlchemy takes from a URL."""


def sqlite_path(url: str) -> Path | None:
    """Return the file of an SQLite URL; None for another kind of database.

    Raises:
        StorageError: the text is not a database URL, or names an SQLite database in memory.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() != "sqlite":
        return None
    if parsed.get_driver_name() != "pysqlite":
        raise StorageError(
            f"--storage {url} names an SQLite driver that is not supported; write it as "
            f"{DEFAULT_STORAGE}"
        )
    database = parsed.database or ""
    if not database or database == ":memory:" or database.startswith("file:"):
        raise StorageError(
            f"--storage {url} is not a file; workers need one, such as {DEFAULT_STORAGE}"
        )
    _refuse_mark(url, parsed)
    return Path(database)


def _refuse_mark(url: str, parsed: URL) -> None:
    """Refuse a question mark in the name of a file: SQLAlchemy would cut the name off there."""
    _, mark, options = url.partition("?")
    if mark and (not parsed.query or not parsed.query.keys() <= _SQLITE_OPTIONS):
        raise StorageError(
            f"--storage {url}: a database URL ends at its question mark, so the file would have "
            f"another name than the one given; name it without ?{options}"
        )


def shown_url(url: str) -> str:
    """Return a database URL for messages, without its password.

    Raises:
        StorageError: the text is not a database URL.
    """
    return _parsed(url).render_as_string(hide_password=True)


def storage_option(url: str) -> str:
    """Return the option by which a command that people copy names a database, with a space before.

    It is empty for :data:`DEFAULT_STORAGE`, quoted for a shell, and has no password.
    """
    if url == DEFAULT_STORAGE:
        return ""
    named = url if _parsed(url).password is None else shown_url(url)
    return f" --storage {shlex.quote(named)}"


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise StorageError(
            f"--storage {url!r} is not a database URL; write it as {DEFAULT_STORAGE}"
        ) from None
    return parsed

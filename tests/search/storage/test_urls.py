from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from search.errors import StorageError
from search.storage.urls import DEFAULT_STORAGE, shown_url, sqlite_path, storage_option
from tests.search.databases import refusal


@pytest.mark.parametrize(
    "url", ["studies/study.db", "", "nothing://here", "sqlite", "sqlite://:memory:@:x/"]
)
def test_a_url_that_is_none_is_refused(url: str) -> None:
    """A path in place of a URL, or an unknown kind of database, is answered with a right one."""
    assert "sqlite:///studies/study.db" in refusal(url, create=True)


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true"],
)
def test_a_database_in_memory_is_refused(url: str) -> None:
    """Workers could not see a database in this process's memory."""
    assert "is not a file; workers need one" in refusal(url, create=True)


def test_passwords_are_not_shown() -> None:
    """A URL in a message keeps its password to itself."""
    assert "secret" not in shown_url("postgresql://someone:secret@host/studies")
    assert sqlite_path("postgresql://someone:secret@host/studies") is None


@pytest.mark.parametrize("name", ["what?.db", "what?x=1.db", "what?", "a?b/study.db"])
def test_a_question_mark_in_a_name_is_refused(name: str) -> None:
    """A name that SQLAlchemy would cut off is named, with what follows the mark."""
    with pytest.raises(StorageError, match=r"ends at its question mark.* without \?"):
        sqlite_path(f"sqlite:///{name}")


def test_options_of_sqlite_are_taken() -> None:
    """What follows a question mark may be options of SQLite."""
    assert sqlite_path("sqlite:///study.db?timeout=5") == Path("study.db")


def test_an_option_to_copy_is_safe_in_a_shell() -> None:
    """The default needs no option; any other is one word for a shell, and has no password."""
    assert storage_option(DEFAULT_STORAGE) == ""
    words = shlex.split(storage_option("sqlite:////my $HOME/a;b.db"))
    assert words == ["--storage", "sqlite:////my $HOME/a;b.db"]
    hidden = storage_option("postgresql://me:secret@host/db?sslmode=require&x=1")
    assert "secret" not in hidden
    assert len(shlex.split(hidden)) == 2

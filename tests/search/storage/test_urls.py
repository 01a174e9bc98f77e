from __future__ import annotations

from pathlib import Path

import pytest

from search.errors import StorageError
from search.storage.urls import shown_url, sqlite_path
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

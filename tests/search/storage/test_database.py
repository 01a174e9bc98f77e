from __future__ import annotations

import sqlite3
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.search.databases import made, refusal, url_of


def test_a_missing_database_is_not_made_by_a_reader(tmp_path: Path) -> None:
    """A command that reads names the missing file and the command that makes one."""
    words = refusal(url_of(tmp_path / "study.db"), writing=False)
    assert "study.db" in words
    assert "flyweight run" in words
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(find_spec("psycopg") is not None, reason="psycopg is installed")
def test_a_missing_driver_is_named() -> None:
    """A server's database whose driver is not installed is answered with what to install."""
    words = refusal("postgresql://someone:secret@localhost/studies")
    assert "pip install 'flyweight[postgres]'" in words
    assert "secret" not in words


def test_another_optunas_schema_is_refused(tmp_path: Path) -> None:
    """A database with the tables of a future Optuna is left alone."""
    url = made(tmp_path)
    connection = sqlite3.connect(tmp_path / "study.db")
    connection.execute("UPDATE alembic_version SET version_num = 'v9.9.9.z'")
    connection.commit()
    connection.close()
    assert "schema of another version of Optuna" in refusal(url)

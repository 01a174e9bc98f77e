from __future__ import annotations

import multiprocessing
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import optuna
import pytest

from search.errors import StorageError
from search.storage.database import open_storage
from search.storage.urls import sqlite_path
from tests.search.databases import made, refusal, url_of

FORK = multiprocessing.get_context("fork")


def _as_nobody(work: Callable[[], object]) -> str:
    """The result of some work in a process that has no special rights."""

    def run(writing: int) -> None:
        if os.getuid() == 0:
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
        os.write(writing, str(work()).encode())

    reading, writing = os.pipe()
    process = FORK.Process(target=run, args=(writing,))
    process.start()
    process.join()
    os.close(writing)
    with os.fdopen(reading) as pipe:
        return pipe.read()


def _open_to_all(path: Path) -> None:
    for folder in (path, *path.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path(folder.anchor):
            folder.chmod(folder.stat().st_mode | 0o055)


def _open_and_count(url: str) -> int:
    return len(open_storage(url, create=True).get_all_studies())


def test_several_processes_can_make_the_same_database(tmp_path: Path) -> None:
    """Of processes that begin at the same moment none fails and none wipes another's database."""
    for attempt in range(4):
        url = url_of(tmp_path / f"new{attempt}" / "study.db")
        with ProcessPoolExecutor(4, FORK) as pool:
            assert list(pool.map(_open_and_count, [url] * 4)) == [0] * 4
        left = {path.name for path in (tmp_path / f"new{attempt}").iterdir()}
        assert left <= {"study.db", "study.db-wal", "study.db-shm"}


def test_writers_use_a_write_ahead_log(tmp_path: Path) -> None:
    """SQLite writes ahead, waits for locks a minute, and begins writing transactions as such."""
    storage = open_storage(made(tmp_path))
    with storage.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 60_000
        other = sqlite3.connect(tmp_path / "study.db", timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()


def test_a_reader_waits_for_no_writer(tmp_path: Path) -> None:
    """While a writer holds the lock somebody can open the database and read all of it."""
    url = made(tmp_path)
    writer = sqlite3.connect(tmp_path / "study.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE studies SET study_name = 'changed'")
    started = time.monotonic()
    reader = open_storage(url, writing=False)
    names = [study.study_name for study in reader.get_all_studies()]
    assert reader.get_all_trials(1) == []
    assert time.monotonic() - started < 30
    writer.execute("ROLLBACK")
    writer.close()
    assert names == ["s"]


def test_a_writer_waits_for_no_reader(tmp_path: Path) -> None:
    """A reader in the middle of its transaction does not keep a writer from writing."""
    url = made(tmp_path)
    reader = open_storage(url, writing=False)
    with reader.engine.connect() as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM trials").scalar()
        optuna.load_study(study_name="s", storage=open_storage(url)).ask()
        after = connection.exec_driver_sql("SELECT count(*) FROM trials").scalar()
    assert before == after == 0
    assert len(reader.get_all_trials(1)) == 1


def test_a_writer_waits_for_another(tmp_path: Path) -> None:
    """A writer that finds the lock taken goes on as soon as it is free."""
    url = made(tmp_path)
    study = optuna.load_study(study_name="s", storage=open_storage(url))
    holder = sqlite3.connect(tmp_path / "study.db", isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.5, holder.execute, ["COMMIT"])
    release.start()
    assert study.ask().number == 0
    release.join()
    holder.close()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """Somebody's notes are neither read as a study nor written over."""
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but more than a header of one\n" * 40)
    assert "not an SQLite database" in refusal(url_of(path), create=True)
    assert path.read_text().startswith("not a database")


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    """No tables are put into the database of another program."""
    path = tmp_path / "accounts.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE accounts (name TEXT)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    assert "another program" in refusal(url_of(path), create=True)
    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    """A file of no bytes, such as a temporary file's, is a place like any other."""
    path = tmp_path / "empty.db"
    path.touch()
    assert open_storage(url_of(path), create=True).get_all_studies() == []


def test_a_folder_is_refused(tmp_path: Path) -> None:
    """A folder in the place of the file is named."""
    assert "is not a file" in refusal(url_of(tmp_path), create=True)


def test_a_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    """A database that would lie below a file cannot be made."""
    (tmp_path / "file").touch()
    assert "cannot be created" in refusal(url_of(tmp_path / "file" / "study.db"), create=True)


def test_a_path_may_hold_any_characters(tmp_path: Path) -> None:
    """Braces and per cent signs in the file's name mean nothing special."""
    folder = tmp_path / "a {b} 50%"
    url = _made_in(folder)
    assert [s.study_name for s in open_storage(url, writing=False).get_all_studies()] == ["s"]
    assert sqlite_path(url) == folder / "study.db"


def _made_in(folder: Path) -> str:
    folder.mkdir()
    return made(folder)


def test_a_read_only_database_can_be_read_but_not_written(tmp_path: Path) -> None:
    """A reader reads a file that it may not change; a writer is told before it starts."""
    url = made(tmp_path)
    path = tmp_path / "study.db"
    path.chmod(0o444)
    _open_to_all(tmp_path)
    tmp_path.chmod(0o777)

    def write() -> str:
        try:
            open_storage(url)
        except StorageError as error:
            return str(error)
        return "opened"

    assert "is read-only" in _as_nobody(write)
    reading = _as_nobody(lambda: len(open_storage(url, writing=False).get_all_studies()))
    assert reading == "1"

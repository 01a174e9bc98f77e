"""Studies that somebody works on, and that somebody else would rename or delete."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest

from search.errors import InputError
from search.run import command
from search.run.command import run
from search.storage.processes import ProcessId
from search.studies import delete_study, list_studies, rename_study
from search.study.in_use import changing, using
from search.study.study import open_study
from tests.search.small_studies import SKELETON, begun, quiet, url_in, write_study

CHANGES: list[Callable[[str, bool], object]] = [
    lambda url, force: delete_study("tiny", storage=url, force=force),
    lambda url, force: rename_study("tiny", "small", storage=url, force=force),
]


def _names(folder: Path) -> list[str]:
    return [entry.name for entry in list_studies(storage=url_in(folder))]


@pytest.mark.parametrize("change", CHANGES, ids=["delete", "rename"])
def test_a_used_study_is_not_changed(tmp_path: Path, change: Callable[[str, bool], object]) -> None:
    """From the first moment of its use to the last a study is neither renamed nor deleted."""
    with using(begun(tmp_path, space=SKELETON)):
        for force in (False, True):
            with pytest.raises(InputError, match="in use by process"):
                change(url_in(tmp_path), force)
        assert _names(tmp_path) == ["tiny"]
    change(url_in(tmp_path), False)
    assert _names(tmp_path) != ["tiny"]


def test_a_changing_study_is_not_used(tmp_path: Path) -> None:
    """While one process changes it no other uses or changes it, and then nothing is left."""
    stored, other = begun(tmp_path, space=SKELETON), begun(tmp_path, space=SKELETON)
    with changing(stored, "rename", force=False):
        with (
            pytest.raises(InputError, match="being renamed or deleted by process"),
            using(other),
        ):
            pytest.fail("the study is used")
        with pytest.raises(InputError, match="being renamed or deleted by process"):
            delete_study("tiny", storage=url_in(tmp_path))
    with using(other):
        pass
    delete_study("tiny", storage=url_in(tmp_path))


@pytest.mark.parametrize("change", CHANGES, ids=["delete", "rename"])
def test_a_changed_study_is_not_used(tmp_path: Path, change: Callable[[str, bool], object]) -> None:
    """A process that opened a study before it was changed is told so, and claims none of it."""
    stored = begun(tmp_path, space=SKELETON)
    change(url_in(tmp_path), False)
    with pytest.raises(InputError, match="renamed or deleted a moment ago"), using(stored):
        pytest.fail("the study is used")
    again = begun(tmp_path, space=SKELETON)
    with changing(again, "delete", force=False):
        pass


def test_force_is_for_machines_that_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change that another machine began counts until ``--force`` says that it is gone."""
    url = url_in(tmp_path)
    stored = begun(tmp_path, space=SKELETON)
    elsewhere = ProcessId("elsewhere", 7, "then")
    monkeypatch.setattr("search.storage.claims.this_process", lambda: elsewhere)
    left = changing(stored, "rename", force=False)
    left.__enter__()
    monkeypatch.undo()
    with pytest.raises(InputError, match=r"process 7 on elsewhere.*--force"), using(stored):
        pytest.fail("the study is used")
    with pytest.raises(InputError, match=r"process 7 on elsewhere.*--force"):
        rename_study("tiny", "small", storage=url)
    rename_study("tiny", "small", storage=url, force=True)
    with using(open_study("small", url, writing=True)):
        pass


@pytest.mark.usefixtures("warm_workers")
def test_a_run_uses_its_study_before_it_reads_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that resumes a study and still reads its images keeps it from being changed."""
    path = write_study(tmp_path, space=SKELETON)
    begun(tmp_path, space=SKELETON).storage.engine.dispose()
    reading, go_on = Event(), Event()
    read = command.inspect_data

    def read_slowly(*arguments: object, **options: object) -> object:
        reading.set()
        assert go_on.wait(60)
        return read(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(command, "inspect_data", read_slowly)
    options = {"timeout": 0, "workers": 1, "storage": url_in(tmp_path), "device": "cpu"}
    running = Thread(target=lambda: run(path, console=quiet(), **options))  # type: ignore[arg-type]
    running.start()
    try:
        assert reading.wait(60)
        with pytest.raises(InputError, match="in use by process"):
            delete_study("tiny", storage=url_in(tmp_path))
    finally:
        go_on.set()
        running.join()
    delete_study("tiny", storage=url_in(tmp_path))
    assert _names(tmp_path) == []

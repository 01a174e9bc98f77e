from __future__ import annotations

import dataclasses
import multiprocessing
import sqlite3
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import optuna
import pytest

from search.errors import ResumeError, StorageError
from search.spec.study_file import StudyFile
from search.storage.database import open_storage, quiet_optuna
from search.study.study import begin_study, open_study, study_names
from search.workers.data import open_data
from tests.search.small_studies import STAGES, begun, reopened, url_in, write_study
from trainer.data import DataInfo

DIGITS = DataInfo("digits", (1, 8, 8), tuple("0123456789"), "as-they-were")
FORK = multiprocessing.get_context("fork")


def _dump(folder: Path) -> list[str]:
    connection = sqlite3.connect(folder / "studies" / "study.db")
    lines = list(connection.iterdump())
    connection.close()
    return lines


def _begin(folder: Path, seed: int = 1) -> tuple[int, int]:
    quiet_optuna()
    file = StudyFile.load(folder / f"seed{seed}.toml")
    try:
        stored = begin_study(file, url_in(folder), None, DIGITS)
    except ResumeError:
        return -1, seed
    return stored.id, stored.file.settings.seed


def test_a_study_is_resumed_as_it_began(tmp_path: Path) -> None:
    """The second beginning finds the study, its settings, its folder and its data."""
    first, second = begun(tmp_path), begun(tmp_path)
    assert (second.id, second.file.to_dict()) == (first.id, first.file.to_dict())
    assert second.artifacts == first.artifacts == tmp_path / "studies" / "artifacts"
    assert second.artifacts.is_dir()
    assert second.data == first.data
    assert reopened(tmp_path).file.to_dict() == first.file.to_dict()


def test_the_number_of_trials_may_change(tmp_path: Path) -> None:
    """A study goes on with another total, and keeps the one that it began with."""
    begun(tmp_path, trials=3)
    assert begun(tmp_path, trials=9).file.settings.trials == 3


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"space": STAGES.replace("high = 24", "high = 23")}, "space.width"),
        ({"space": STAGES + "head = 'gap-linear'"}, "space.head"),
        ({"parameters": 1_499}, "budget.parameters"),
        ({"learning_rate": 0.01}, "recipe.learning_rate"),
        ({"epochs": 3}, "recipe.epochs"),
        ({"seed": 2}, "study.seed"),
        ({"sampler": "random"}, "study.sampler"),
        ({"pruner": "median"}, "study.pruner"),
    ],
)
def test_a_study_that_differs_is_refused(
    tmp_path: Path, values: dict[str, object], named: str
) -> None:
    """The difference is named in one line with a way out, and nothing in the storage changes."""
    begun(tmp_path)
    before = _dump(tmp_path)
    with pytest.raises(ResumeError, match=named) as caught:
        begun(tmp_path, **values)
    assert "another name" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert _dump(tmp_path) == before


def test_other_images_are_refused(tmp_path: Path) -> None:
    """A data set of the same name whose images are others is not the same data set."""
    stored = begun(tmp_path)
    other = dataclasses.replace(stored.data, fingerprint="other")
    with pytest.raises(ResumeError, match=r"study\.dataset"):
        begin_study(stored.file, stored.url, None, other)


def test_another_folder_of_artifacts_is_refused(tmp_path: Path) -> None:
    """Weights of one study lie in one folder; naming that one again is fine."""
    stored = begun(tmp_path)
    begin_study(stored.file, stored.url, stored.artifacts, stored.data)
    with pytest.raises(ResumeError, match="--artifacts"):
        begin_study(stored.file, stored.url, tmp_path / "elsewhere", stored.data)
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """A file in the place of the folder of artifacts is named."""
    file = StudyFile.load(write_study(tmp_path))
    (tmp_path / "taken").touch()
    with pytest.raises(StorageError, match="cannot hold the weights"):
        begin_study(file, url_in(tmp_path), tmp_path / "taken", DIGITS)


@pytest.mark.parametrize("trace", ["trial", "attribute", "direction"])
def test_somebody_elses_study_is_left_alone(tmp_path: Path, trace: str) -> None:
    """A study of the same name that another program made is neither taken over nor changed."""
    storage = open_storage(url_in(tmp_path), create=True)
    direction = "minimize" if trace == "direction" else "maximize"
    theirs = optuna.create_study(storage=storage, study_name="tiny", direction=direction)
    if trace == "trial":
        theirs.ask()
    elif trace == "attribute":
        theirs.set_user_attr("theirs", 1)
    before = _dump(tmp_path)
    with pytest.raises(StorageError, match="not made by flyweight"):
        begun(tmp_path)
    with pytest.raises(StorageError, match="not made by flyweight"):
        reopened(tmp_path)
    assert _dump(tmp_path) == before


def test_a_study_that_was_only_just_made_is_completed(tmp_path: Path) -> None:
    """A process that was killed while it made a study leaves one that the next can begin."""
    storage = open_storage(url_in(tmp_path), create=True)
    optuna.create_study(storage=storage, study_name="tiny", direction="maximize")
    assert begun(tmp_path).name == "tiny"


def test_four_processes_can_begin_the_same_study(tmp_path: Path) -> None:
    """Processes that begin a new study in a new database at once all get the same one."""
    path = write_study(tmp_path)
    path.rename(tmp_path / "seed1.toml")
    with ProcessPoolExecutor(4, FORK) as pool:
        found = list(pool.map(_begin, [tmp_path] * 4))
    assert found == [(1, 1)] * 4
    assert study_names(url_in(tmp_path)) == ["tiny"]


def test_of_two_files_that_begin_one_study_the_first_decides(tmp_path: Path) -> None:
    """Two different files of one name that begin at once: one is the study, the other refused."""
    for seed in (1, 2):
        write_study(tmp_path, seed=seed).rename(tmp_path / f"seed{seed}.toml")
    with ProcessPoolExecutor(4, FORK) as pool:
        found = set(pool.map(_begin, [tmp_path] * 4, [1, 2, 1, 2]))
    kept = reopened(tmp_path).file.settings.seed
    assert found == {(1, kept), (-1, 3 - kept)}


def test_a_study_is_opened_by_its_file_or_its_name(tmp_path: Path) -> None:
    """Commands take either, and a name that is none is answered with those that are."""
    stored = begun(tmp_path)
    path = str(tmp_path / "tiny.toml")
    assert open_study(path, stored.url, writing=False).id == stored.id
    with pytest.raises(StorageError, match="no study 'none'; it has: tiny"):
        open_study("none", stored.url, writing=False)
    empty = f"sqlite:///{tmp_path / 'empty.db'}"
    open_storage(empty, create=True)
    with pytest.raises(StorageError, match="none yet"):
        open_study("tiny", empty, writing=False)


def test_data_is_told_apart_by_its_images(tmp_path: Path) -> None:
    """The data set that a study began with is known again by its images, not its name."""
    stored = begun(tmp_path)
    info = open_data(stored.file, tmp_path).info
    assert stored.search_data_matches(info)
    assert not stored.search_data_matches(dataclasses.replace(info, fingerprint="other"))

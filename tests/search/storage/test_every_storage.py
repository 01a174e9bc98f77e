"""What must hold of a study wherever it lies."""

from __future__ import annotations

import multiprocessing
import subprocess
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from search.confirm.choice import champion_of
from search.confirm.command import confirm
from search.dashboard.server import dashboard_app
from search.errors import ResumeError, StorageError
from search.export.command import export
from search.run.command import RunResult, run
from search.spec.study_file import StudyFile
from search.status import status
from search.storage.claims import Claims
from search.storage.database import open_storage, quiet_optuna
from search.studies import copy_study, delete_study, list_studies, merge_studies, rename_study
from search.study.confirms import Confirm
from search.study.records import Outcome
from search.study.study import StoredStudy, begin_study, open_study
from search.workers.data import open_data
from tests.search.shown_studies import ask
from tests.search.small_studies import (
    SKELETON,
    command,
    flyweight,
    kill_all,
    quiet,
    wait_for,
    write_study,
)

FORK = multiprocessing.get_context("fork")

pytestmark = pytest.mark.usefixtures("warm_workers")

proven_elsewhere_on_sqlite = pytest.mark.parametrize(
    "database",
    [
        pytest.param("sqlite", marks=pytest.mark.slow),
        pytest.param("postgres", marks=pytest.mark.postgres),
    ],
    indirect=True,
)
"""Of an SQLite file the tests of the commands prove it already."""


def _run(database: str, path: Path, trials: int | None = None, workers: int = 2) -> RunResult:
    return run(
        path,
        trials=trials,
        workers=workers,
        storage=database,
        artifacts=path.parent / "artifacts",
        device="cpu",
        console=quiet(),
    )


@proven_elsewhere_on_sqlite
def test_whole_studies_are_copied_merged_renamed_and_deleted(database: str, tmp_path: Path) -> None:
    """A study and its copies go on, change names and go, whatever database holds them."""
    path = write_study(tmp_path, space=SKELETON, epochs=1, trials=2)
    _run(database, path, workers=1)
    copy_study("tiny", "copy", storage=database)
    merge_studies(["tiny", "copy"], "both", storage=database)
    rename_study("both", "all", storage=database)
    delete_study("tiny", storage=database)
    counts = {entry.name: entry.trained for entry in list_studies(storage=database)}
    assert counts == {"copy": 2, "all": 4}
    assert all(entry.weights_bytes for entry in list_studies(storage=database))
    copy = write_study(tmp_path, name="copy", space=SKELETON, epochs=1, trials=2)
    assert _run(database, copy, trials=3, workers=1).trained == 3


def _opened(database: str) -> StoredStudy:
    return open_study("tiny", database, writing=False)


def _take_all(database: str, total: int) -> list[int]:
    claims = Claims(open_storage(database).engine, 1, "trial")
    taken = []
    while (slot := claims.take(total)) is not None:
        taken.append(slot)
        time.sleep(0.001)
        claims.finish(slot)
    return taken


def _open_and_count(database: str) -> int:
    storage = open_storage(database, create=True)
    Claims(storage.engine, 1, "trial")
    return len(storage.get_all_studies())


def _pop_all(database: str) -> list[int]:
    study = optuna.load_study(study_name="s", storage=open_storage(database))
    popped = []
    while (trial_id := study._pop_waiting_trial_id()) is not None:
        popped.append(trial_id)
    return popped


def _ask_some(database: str, count: int) -> list[int]:
    study = optuna.load_study(study_name="s", storage=open_storage(database))
    return [study.ask().number for _ in range(count)]


def _keep(database: str, value: int) -> None:
    open_storage(database).keep_first(1, "first", value)


def _made(database: str, queued: int = 0) -> optuna.Study:
    quiet_optuna()
    storage = open_storage(database, create=True)
    study = optuna.create_study(storage=storage, study_name="s", direction="maximize")
    for value in range(queued):
        study.enqueue_trial({"x": value})
    # A connection must not be shared with a process that is forked.
    storage.engine.dispose()
    return study


def test_slots_are_shared_out(database: str) -> None:
    """Of several processes no two take the same slot, and none is left over."""
    _made(database)
    with ProcessPoolExecutor(4, FORK) as pool:
        shares = list(pool.map(_take_all, [database] * 4, [24] * 4))
    assert sorted(slot for share in shares for slot in share) == list(range(24))
    assert Claims(open_storage(database).engine, 1, "trial").done() == 24


def test_several_processes_can_make_the_same_tables(database: str) -> None:
    """Of processes that begin at the same moment none fails."""
    with ProcessPoolExecutor(4, FORK) as pool:
        assert list(pool.map(_open_and_count, [database] * 8)) == [0] * 8


def test_a_queued_trial_is_handed_out_once(database: str) -> None:
    """Processes that pop the same queue at the same time never get the same trial."""
    _made(database, queued=30)
    with ProcessPoolExecutor(3, FORK) as pool:
        popped = [number for found in pool.map(_pop_all, [database] * 3) for number in found]
    assert len(popped) == len(set(popped)) == 30


def test_trials_get_numbers_of_their_own(database: str) -> None:
    """Processes that ask for trials at the same time never get the same one."""
    _made(database)
    with ProcessPoolExecutor(3, FORK) as pool:
        asked = pool.map(_ask_some, [database] * 3, [8] * 3)
        numbers = [number for found in asked for number in found]
    assert sorted(numbers) == list(range(24))


def test_the_first_of_several_decides(database: str) -> None:
    """What processes keep under one name at once is kept once, and none of them fails."""
    study = _made(database)
    with ProcessPoolExecutor(3, FORK) as pool:
        list(pool.map(_keep, [database] * 6, range(6)))
    first = study.user_attrs["first"]
    assert first in range(6)
    open_storage(database).keep_first(1, "first", 99)
    assert study.user_attrs["first"] == first


def test_values_come_back_as_they_were_written(database: str) -> None:
    """Long texts, signs of any script and exact floats survive, gathered or not."""
    study = _made(database)
    storage: Any = open_storage(database)
    trial = optuna.load_study(study_name="s", storage=storage).ask()
    kept = {"long": "x" * 200_000, "signs": "µ → 数字 \U0001f9ea \"'{}\\", "float": 0.1 + 0.2}
    with storage.write_batch(trial._trial_id):
        trial.suggest_float("x", 0.0, 1.0)
        for key, value in kept.items():
            trial.set_user_attr(key, value)
        trial.set_constraint("parameters", 1e-300)
    trial.set_user_attr("later", kept)
    found = study.trials[0]
    assert found.user_attrs == {**kept, "later": kept}
    assert found.constraints == {"parameters": 1e-300}
    assert found.params == trial.params


@proven_elsewhere_on_sqlite
def test_a_study_from_its_file_to_its_champion(database: str, tmp_path: Path) -> None:
    """Search, resumption, refusal of other settings, confirm, status and export work in it."""
    path = write_study(tmp_path, parameters=800, epochs=1)
    assert _run(database, path).trained == 3
    assert _run(database, path, trials=5).trained == 5
    records = _opened(database).records()
    assert sorted(r.attributes["slot"] for r in records if r.trained) == list(range(5))
    assert any(record.outcome is Outcome.REJECTED for record in records)

    other = write_study(tmp_path, parameters=900, epochs=1)
    with pytest.raises(ResumeError, match=r"budget\.parameters"):
        _run(database, other)

    done: Confirm = confirm(
        "tiny", top=2, seeds=2, workers=2, storage=database, device="cpu", console=quiet()
    )
    assert done.finished
    assert confirm("tiny", storage=database, console=quiet()) == done
    (state,) = status(storage=database)
    assert (state.trained, state.confirms) == (5, 1)
    assert state.test_floors == tuple(done.test_floors)
    trained = export("tiny", tmp_path / "tiny", storage=database)
    assert trained.figures.trial == champion_of(done)


@proven_elsewhere_on_sqlite
def test_a_killed_run_goes_on(database: str, tmp_path: Path) -> None:
    """After kill -9 of parent and workers in mid-training nothing is lost and the count exact."""
    path = write_study(tmp_path, space=SKELETON, epochs=300)
    arguments = ["--workers", "2", "--device", "cpu", "--storage", database]
    process = flyweight(tmp_path, "run", str(path), *arguments, "--artifacts", "artifacts")
    wait_for(lambda: _is_training(database), "a worker trains")
    kill_all(process)
    assert _run(database, path).trained == 3
    stored = _opened(database)
    assert all(state.is_finished() for state in _states(stored))
    interrupted = [r for r in stored.records() if r.outcome is Outcome.INTERRUPTED]
    assert {record.reason for record in interrupted} == {"its worker died"}
    assert len(stored.records()) == 3 + len(interrupted)


def test_a_worker_needs_its_url_and_name_alone(database: str, tmp_path: Path) -> None:
    """Workers that were started by hand, elsewhere, share what a study has to train."""
    quiet_optuna()
    file = StudyFile.load(write_study(tmp_path, space=SKELETON, epochs=1, trials=5))
    begin_study(file, database, tmp_path / "artifacts", open_data(file, tmp_path).info)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    workers = [
        command(elsewhere, "search.worker", "--storage", database, "--study", "tiny", *more)
        for more in (["--index", "7"], ["--index", "8"])
    ]
    assert [_errors_of(worker) for worker in workers] == ["", ""]
    assert sum(record.trained for record in _opened(database).records()) == 5


@proven_elsewhere_on_sqlite
def test_the_dashboard_reads_it(database: str, tmp_path: Path) -> None:
    """The best trial that the dashboard shows is the best that fits the budget."""
    path = write_study(tmp_path, parameters=800, epochs=1)
    best = _run(database, path).best
    assert best is not None
    source = open_storage(database, writing=False)
    app = dashboard_app(source, database)
    shown = ask(app, "/api/studies/1").json
    assert [trial["number"] for trial in shown["best_trials"]] == [best.number]
    assert len(shown["trials"]) == len(_opened(database).records())
    source.engine.dispose()


def test_a_reader_makes_nothing(database: str, tmp_path: Path) -> None:
    """Asking for a study where there is none is refused and leaves the database as it was."""
    for _ in range(2):
        with pytest.raises(StorageError):
            status("tiny", storage=database)
        with pytest.raises(StorageError):
            status(storage=database)
    assert _run(database, write_study(tmp_path, epochs=1, trials=1)).trained == 1
    with pytest.raises(StorageError, match="'other'; it has: tiny"):
        status("other", storage=database)


def _is_training(database: str) -> bool:
    try:
        stored = _opened(database)
    except StorageError:  # the run is only just making the study
        return False
    running = stored.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    return any(trial.intermediate_values for trial in running)


def _states(stored: StoredStudy) -> list[TrialState]:
    return [trial.state for trial in stored.study.get_trials(deepcopy=False)]


def _errors_of(process: subprocess.Popen[str]) -> str:
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    return errors

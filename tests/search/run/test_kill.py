from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from optuna.trial import TrialState

from search.run.command import run
from search.study.records import Outcome
from tests.search.small_studies import (
    SKELETON,
    flyweight,
    is_alive,
    kill_all,
    quiet,
    reopened,
    training,
    url_in,
    wait_for,
    worker_of,
    write_study,
)

pytestmark = pytest.mark.usefixtures("warm_workers")


def _study(folder: Path, epochs: int = 150) -> Path:
    return write_study(folder, space=SKELETON, epochs=epochs, trials=3)


def _check_requeued(folder: Path, reason: str, trials: int) -> None:
    """What was interrupted was trained again with its parameters, and the count is exact."""
    stored = reopened(folder)
    frozen, records = stored.study.get_trials(), stored.records()
    again = {trial.user_attrs.get("continues"): trial for trial in frozen}
    # One that was hit before it drew anything has nothing to train again.
    interrupted = [r for r in records if r.outcome is Outcome.INTERRUPTED]
    begun = [record for record in interrupted if frozen[record.number].params]
    assert any(record.epochs for record in begun)
    for record in begun:
        trial = frozen[record.number]
        assert trial.state is TrialState.FAIL
        assert record.reason == reason
        assert again[record.number].params == trial.params
        assert records[again[record.number].number].outcome is Outcome.COMPLETE
    assert sum(record.trained for record in records) == trials
    ended = [trial for trial in frozen if trial.state.is_finished()]
    assert len(ended) == trials + len(interrupted)


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    """After kill -9 of parent and workers in mid-training the next run has nothing to wait for."""
    path = _study(tmp_path)
    process = flyweight(tmp_path, "run", str(path), "--workers", "2", "--device", "cpu")
    wait_for(lambda: training(tmp_path), "a worker trains")
    kill_all(process)
    trained = sum(record.trained for record in reopened(tmp_path).records())
    assert trained < 3
    result = run(path, workers=2, storage=url_in(tmp_path), device="cpu", console=quiet())
    assert result.trained == 3
    _check_requeued(tmp_path, "its worker died", 3)


def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    """The run notices that a worker was killed, queues its trial again and finishes by itself."""
    path = _study(tmp_path)
    process = flyweight(tmp_path, "run", str(path), "--workers", "2", "--device", "cpu")
    first, *_ = wait_for(lambda: training(tmp_path), "a worker trains")
    os.kill(worker_of(first), signal.SIGKILL)
    output, errors = process.communicate(timeout=600)
    assert (process.returncode, errors) == (0, "")
    assert "3 trained" in output
    _check_requeued(tmp_path, "its worker died", 3)


def test_workers_stop_with_their_parent(tmp_path: Path) -> None:
    """After kill -9 of the parent alone the workers queue their trials again and end soon."""
    path = _study(tmp_path, epochs=10_000)
    process = flyweight(tmp_path, "run", str(path), "--workers", "2", "--device", "cpu")
    trials = wait_for(lambda: training(tmp_path), "a worker trains")
    workers = [worker_of(trial) for trial in trials]
    process.kill()
    process.communicate()
    wait_for(lambda: not any(map(is_alive, workers)), "workers end", 60)
    stored = reopened(tmp_path)
    interrupted = [r for r in stored.records() if r.outcome is Outcome.INTERRUPTED]
    assert {record.reason for record in interrupted} == {"stopped"}
    waiting = stored.study.get_trials(states=(TrialState.WAITING,))
    assert {trial.user_attrs["continues"] for trial in waiting} == {r.number for r in interrupted}
    assert stored.study.get_trials(states=(TrialState.RUNNING,)) == []

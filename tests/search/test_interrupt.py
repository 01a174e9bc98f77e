from __future__ import annotations

import signal
from pathlib import Path

import pytest
from optuna.trial import TrialState
from small_studies import (
    flyweight,
    is_alive,
    quiet,
    reopened,
    template,
    training,
    url_in,
    wait_for,
    worker_of,
    write_study,
)

from search.records import Outcome
from search.run import run

SPACE = template("conv3 {a} relu bn", "gap", "linear 10", a="{ low = 4, high = 8 }")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    """It ends with 130 and one line on how to go on; the trial in flight is in the queue."""
    path = write_study(tmp_path, space=SPACE, epochs=40, trials=2)
    process = flyweight(tmp_path, "run", str(path), "--device", "cpu")
    wait_for(lambda: training(tmp_path), "a worker trains")
    worker = worker_of(training(tmp_path)[0])
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert errors.count("\n") == 1
    assert "the same command goes on" in errors
    assert not is_alive(worker)
    stored = reopened(tmp_path)
    assert [record.outcome for record in stored.records()] == [Outcome.INTERRUPTED, None]
    assert stored.study.get_trials()[1].state is TrialState.WAITING


def test_a_run_ends_with_its_time(tmp_path: Path) -> None:
    """After --timeout seconds the run ends well, and the trial in flight is in the queue."""
    path = write_study(tmp_path, space=SPACE, epochs=10_000, trials=2)
    result = run(path, timeout=1.0, storage=url_in(tmp_path), device="cpu", console=quiet())
    assert (result.trained, result.best) == (0, None)
    stored = reopened(tmp_path)
    assert stored.study.get_trials(states=(TrialState.RUNNING,)) == []
    assert all(record.outcome in (Outcome.INTERRUPTED, None) for record in stored.records())

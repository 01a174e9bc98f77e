from __future__ import annotations

import os
import signal
from pathlib import Path
from threading import Thread

import pytest
from optuna.trial import TrialState

from search.cli.app import main
from search.run.command import run
from search.study.records import Outcome
from search.study.study import StoredStudy
from tests.search.small_studies import (
    SKELETON,
    flyweight,
    is_alive,
    quiet,
    reopened,
    training,
    url_in,
    wait_for,
    worker_of,
    write_study,
)

ENDING = (signal.SIGTERM, signal.SIGHUP)

pytestmark = pytest.mark.usefixtures("warm_workers")


def _check_all_queued(stored: StoredStudy) -> None:
    """No trial runs any more, and each that was interrupted waits to be continued."""
    frozen, records = stored.study.get_trials(), stored.records()
    interrupted = {r.number for r in records if r.outcome is Outcome.INTERRUPTED}
    assert interrupted == {t.user_attrs["continues"] for t in frozen if "continues" in t.user_attrs}
    assert all(t.state is TrialState.WAITING for t in frozen if t.number not in interrupted)


def test_an_interrupted_run_ends_cleanly(tmp_path: Path) -> None:
    """It ends with 130 and one line on how to go on; the trial in flight is in the queue."""
    path = write_study(tmp_path, space=SKELETON, epochs=10_000, trials=2)
    process = flyweight(tmp_path, "run", str(path), "--workers", "1", "--device", "cpu")
    trials = wait_for(lambda: training(tmp_path), "a worker trains")
    workers = [worker_of(trial) for trial in trials]
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert errors.count("\n") == 1
    assert "run the same command to resume" in errors
    assert not any(map(is_alive, workers))
    _check_all_queued(reopened(tmp_path))


@pytest.mark.parametrize("number", ENDING)
def test_other_signals_end_it_as_well(
    tmp_path: Path,
    number: signal.Signals,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A request to end, or a closed terminal, ends a run as Ctrl-C does."""
    monkeypatch.chdir(tmp_path)
    path = write_study(tmp_path, space=SKELETON, epochs=10_000, trials=1)

    def send() -> None:
        wait_for(lambda: training(tmp_path), "a worker trains")
        os.kill(os.getpid(), number)

    kept = {each: signal.getsignal(each) for each in (*ENDING, signal.SIGINT)}
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it would stay ignored
    sender = Thread(target=send)
    sender.start()
    try:
        assert main(["run", str(path), "--workers", "1", "--device", "cpu"]) == 130
    finally:
        sender.join()
        for each, handler in kept.items():
            signal.signal(each, handler)
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert "run the same command to resume" in errors
    _check_all_queued(reopened(tmp_path))


def test_a_run_ends_with_its_time(tmp_path: Path) -> None:
    """After --timeout seconds the run ends well, and the trial in flight is in the queue."""
    path = write_study(tmp_path, space=SKELETON, epochs=10_000, trials=2)
    result = run(
        path, workers=2, timeout=1.0, storage=url_in(tmp_path), device="cpu", console=quiet()
    )
    assert (result.trained, result.best) == (0, None)
    _check_all_queued(reopened(tmp_path))

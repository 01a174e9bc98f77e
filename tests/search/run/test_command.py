from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from search.cli.summary import run_summary
from search.run.command import run
from tests.search.small_studies import (
    SKELETON,
    flyweight,
    quiet,
    reopened,
    training,
    url_in,
    wait_for,
    worker_of,
    write_study,
)

pytestmark = pytest.mark.usefixtures("warm_workers")


def test_no_time_trains_nothing(tmp_path: Path) -> None:
    """A timeout of 0 s begins the study and says what is left; the next run goes on."""
    path = write_study(tmp_path, space=SKELETON, epochs=1)
    where = {"workers": 1, "storage": url_in(tmp_path), "device": "cpu"}
    result = run(path, timeout=0, console=quiet(), **where)  # type: ignore[arg-type]
    assert (result.trained, result.best) == (0, None)
    assert run_summary(result, "tiny").endswith("3 trials to go: run the same command to resume")
    assert run(path, console=quiet(), **where).trained == 3  # type: ignore[arg-type]


def test_the_best_trial_tells_how_it_was_trained(tmp_path: Path) -> None:
    """The epochs of what a run returns have the path that the trial kept."""
    path = write_study(tmp_path, space=SKELETON, epochs=2, trials=1)
    best = run(path, workers=1, storage=url_in(tmp_path), device="cpu", console=quiet()).best
    assert best is not None
    assert {epoch.backend for epoch in best.epochs} == {best.attributes["path"]}


@pytest.mark.slow
def test_a_worker_that_is_told_to_end_is_replaced(tmp_path: Path) -> None:
    """SIGTERM from outside costs the run no trial: the worker queues its own, another takes it."""
    path = write_study(tmp_path, space=SKELETON, epochs=300)
    process = flyweight(tmp_path, "run", str(path), "--workers", "2", "--device", "cpu")
    first, *_ = wait_for(lambda: training(tmp_path), "a worker trains")
    os.kill(worker_of(first), signal.SIGTERM)
    output, errors = process.communicate(timeout=600)
    assert (process.returncode, errors) == (0, "")
    assert "3 trained" in output
    records = reopened(tmp_path).records()
    assert sum(record.trained for record in records) == 3
    assert any(record.reason == "stopped" for record in records)

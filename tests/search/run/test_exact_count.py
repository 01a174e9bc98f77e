from __future__ import annotations

from pathlib import Path

import pytest

from search.run.command import RunResult, run
from search.study.records import Outcome
from tests.search.small_studies import flyweight, quiet, reopened, states, url_in, write_study

pytestmark = pytest.mark.usefixtures("warm_workers")


def _run(folder: Path, path: Path, trials: int) -> RunResult:
    return run(
        path, trials=trials, workers=3, storage=url_in(folder), device="cpu", console=quiet()
    )


def test_three_workers_train_exactly_what_was_asked_for(tmp_path: Path) -> None:
    """The count is a total over all runs, and rejected candidates are not part of it."""
    path = write_study(tmp_path, parameters=800, epochs=1)
    first = _run(tmp_path, path, 7)
    assert (first.trained, first.total) == (7, 7)
    records = reopened(tmp_path).records()
    assert sum(record.trained for record in records) == 7
    assert first.rejected == sum(r.outcome is Outcome.REJECTED for r in records) > 0
    assert len({r.attributes["worker"]["pid"] for r in records}) > 1
    assert len({str(r.recipe) for r in records if r.recipe}) == len(records)

    assert _run(tmp_path, path, 7).trained == 7
    assert _run(tmp_path, path, 5).trained == 7
    assert len(reopened(tmp_path).records()) == len(records)

    assert _run(tmp_path, path, 9).trained == 9
    trained = [record for record in reopened(tmp_path).records() if record.trained]
    assert sorted(record.attributes["slot"] for record in trained) == list(range(9))


@pytest.mark.slow
def test_two_runs_at_once_share_the_work(tmp_path: Path) -> None:
    """Two commands that begin the same study at the same moment train no more than was asked."""
    path = write_study(tmp_path, parameters=800, epochs=4, trials=6)
    arguments = ("run", str(path), "--workers", "2", "--device", "cpu")
    runs = [flyweight(tmp_path, *arguments) for _ in range(2)]
    for process in runs:
        _, errors = process.communicate(timeout=900)
        assert (process.returncode, errors) == (0, "")
    stored = reopened(tmp_path)
    assert sum(record.trained for record in stored.records()) == 6
    assert len({r.attributes["worker"]["pid"] for r in stored.records()}) > 2
    assert all(state.is_finished() for state in states(stored))

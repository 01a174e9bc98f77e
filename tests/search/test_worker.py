from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from search.ladder.records import Replays
from search.ladder.selection import ReplayPlan, choose_steps
from search.storage.database import open_storage
from search.worker import main
from tests.search.ladder_texts import GOOD as LADDER
from tests.search.ladder_texts import written
from tests.search.small_studies import HARDLY_EVER_FITS, begun, reopened, url_in


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """Workers change this process's handlers, which a test puts back."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def _arguments(folder: Path, *more: str) -> list[str]:
    return [
        "--storage",
        url_in(folder),
        "--study",
        "tiny",
        "--device",
        "cpu",
        "--workers",
        "9",
        *more,
    ]


def test_a_worker_joins_a_study_by_its_url_and_name(tmp_path: Path) -> None:
    """A worker that was started by hand trains what is left and ends with 0."""
    begun(tmp_path, parameters=100_000, epochs=1, trials=2)
    assert main(_arguments(tmp_path)) == 0
    assert sum(record.trained for record in reopened(tmp_path).records()) == 2
    assert main(_arguments(tmp_path, "--trials", "3")) == 0
    assert sum(record.trained for record in reopened(tmp_path).records()) == 3


def test_bad_input_is_one_line_and_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A worker without its database says so in one line, with a traceback only where asked."""
    assert main(_arguments(tmp_path)) == 2
    assert capsys.readouterr().err.count("\n") == 1
    begun(tmp_path)
    assert main(_arguments(tmp_path, "--device", "cuda:99")) == 2
    assert "cuda:99" in capsys.readouterr().err
    assert main(_arguments(tmp_path, "--device", "cuda:99", "--debug")) == 2
    assert "Traceback" in capsys.readouterr().err


def test_failed_work_is_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that finds nothing that fits says so in one line and ends with 1."""
    monkeypatch.setattr("search.run.trials.REJECTION_LIMIT", 5)
    begun(tmp_path, space=HARDLY_EVER_FITS, parameters=200)
    assert main(_arguments(tmp_path)) == 1
    words = capsys.readouterr().err
    assert "5 candidates in a row" in words
    assert words.count("\n") == 1


def test_a_worker_replays_ladders(tmp_path: Path) -> None:
    """With --ladder instead of --study a worker replays steps into the same database."""
    path = written(tmp_path, LADDER)
    open_storage(url_in(tmp_path), create=True)
    arguments = ["--storage", url_in(tmp_path), "--device", "cpu", "--workers", "9"]
    plan = ReplayPlan((path,), ("rotation",), epochs=2, seeds=2)
    assert main([*arguments, *plan.to_arguments()]) == 0
    (step,) = choose_steps(plan, tmp_path)
    kept = Replays(open_storage(url_in(tmp_path)).engine).of([step.fingerprint])
    assert [replay.seed for replay in kept[step.fingerprint] if replay.succeeded] == [1, 2]


@pytest.mark.parametrize("more", [[], ["--study", "tiny", "--ladder", "a.toml"]])
def test_a_worker_works_on_one_thing(more: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A worker without a study or a ladder, or with both, is refused."""
    with pytest.raises(SystemExit) as caught:
        main(["--storage", "sqlite:///none.db", *more])
    assert caught.value.code == 2
    assert "--study" in capsys.readouterr().err

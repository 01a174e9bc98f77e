from __future__ import annotations

import os
import time
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from search.errors import DeviceError, Interrupted
from search.study.records import Outcome
from search.workers.launcher import Launcher, explain_interruption
from search.workers.options import RunOptions
from tests.search.small_studies import SKELETON, begun, is_alive, reopened, training, url_in
from tests.search.small_studies import worker_of as pid_of

pytestmark = pytest.mark.usefixtures("warm_workers")


def _launcher(folder: Path, **options: object) -> tuple[Launcher, StringIO]:
    shown = StringIO()
    given = {
        "storage": url_in(folder),
        "device": "cpu",
        "console": Console(file=shown, width=40),
        **options,
    }
    return Launcher(RunOptions(**given)), shown  # type: ignore[typeddict-item]


def test_it_recovers_and_shows_around_the_work(tmp_path: Path) -> None:
    """Dead workers' work is taken back before the first worker and after the last, then shown."""
    begun(tmp_path, space=SKELETON, epochs=1)
    launcher, _ = _launcher(tmp_path)
    calls: list[str] = []
    launcher.launch(
        ["--study", "tiny", "--trials", "1"],
        1,
        recover=lambda: calls.append("recover"),
        show=lambda: calls.append("show"),
    )
    assert calls[:2] == ["recover", "show"]
    assert calls[-2:] == ["recover", "show"]
    assert calls.count("recover") == 2
    assert [record.outcome for record in reopened(tmp_path).records()] == [Outcome.COMPLETE]


def test_a_failure_is_shown_too(tmp_path: Path) -> None:
    """Where a worker fails, what was finished before is recovered and shown all the same."""
    launcher, _ = _launcher(tmp_path)
    calls: list[str] = []
    with pytest.raises(Exception, match="study database"):
        launcher.launch(
            ["--study", "tiny"],
            1,
            recover=lambda: calls.append("recover"),
            show=lambda: calls.append("show"),
        )
    assert calls[-2:] == ["recover", "show"]


def test_an_interruption_stops_the_workers_first(tmp_path: Path) -> None:
    """On Ctrl-C no worker is left when the error says how to continue."""
    begun(tmp_path, space=SKELETON, epochs=10_000)
    launcher, _ = _launcher(tmp_path)
    pids: list[int] = []

    def interrupt_once_training() -> None:
        if trials := training(tmp_path):
            pids.append(pid_of(trials[0]))
            raise KeyboardInterrupt

    def show() -> None:
        if not pids:
            interrupt_once_training()

    with (
        pytest.raises(
            Interrupted, match="stopped; nothing is lost; run the same command to resume"
        ),
        explain_interruption("nothing is lost"),
    ):
        launcher.launch(["--study", "tiny"], 1, recover=lambda: None, show=show)
    assert pids
    assert not is_alive(pids[0])


def test_the_time_ends_the_work(tmp_path: Path) -> None:
    """After the timeout the workers are stopped, however much is left to do."""
    begun(tmp_path, space=SKELETON, epochs=10_000)
    launcher, _ = _launcher(tmp_path)
    started = time.monotonic()
    launcher.launch(["--study", "tiny"], 1, recover=lambda: None, show=lambda: None, timeout=0.5)
    assert time.monotonic() - started < 60


def test_what_begins_is_told_in_one_line(tmp_path: Path) -> None:
    """Work, number of workers and hardware are told, without wrapping or markup."""
    launcher, shown = _launcher(tmp_path, workers=3)
    assert launcher.announce("a study whose name is [bold]long[/bold]", 100) == 3
    first = shown.getvalue().splitlines()[0]
    assert first.startswith("a study whose name is [bold]long[/bold]: 3 workers on ")


def test_workers_are_counted_by_the_work(tmp_path: Path) -> None:
    """Without a number from the user there are no more workers than pieces of work."""
    launcher, shown = _launcher(tmp_path)
    assert launcher.announce("one", 1) == 1
    assert "one: 1 worker on " in shown.getvalue()


def test_every_option_has_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """No option is needed: the storage is in studies/, the data where the environment says."""
    monkeypatch.setitem(os.environ, "FLYWEIGHT_DATA", "somewhere")
    launcher = Launcher({})
    assert launcher.storage == "sqlite:///studies/study.db"
    assert launcher.data == Path("somewhere")


def test_a_device_that_is_missing_is_refused_at_once(tmp_path: Path) -> None:
    """Nothing is begun for a device that this machine does not have."""
    with pytest.raises(DeviceError, match="cuda:99"):
        _launcher(tmp_path, device="cuda:99")

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime
from io import StringIO

import pytest
from rich.console import Console

from search.run.progress import Progress, seconds_left, trial_line
from search.study.records import Outcome, TrialRecord
from trainer.loop import Epoch

EPOCHS = tuple(Epoch(number, 0.5, 0.9, 0.8 + number / 100, 1.0) for number in range(3))
COMPLETE = TrialRecord(
    number=7,
    outcome=Outcome.COMPLETE,
    reason="",
    score=0.98765,
    architecture="gap",
    recipe={},
    parameters=1234,
    epochs=EPOCHS,
    seconds=12.4,
    began=None,
    ended=None,
    attributes={},
)
REJECTED = replace(
    COMPLETE,
    number=8,
    outcome=Outcome.REJECTED,
    score=None,
    epochs=(),
    seconds=0.0,
    reason="2,000 parameters, 33% over",
)
PRUNED = replace(COMPLETE, number=9, outcome=Outcome.PRUNED, score=None)
NOON = datetime(2026, 1, 1, 12)
RUNNING = replace(
    COMPLETE, number=10, outcome=None, score=None, began=NOON, recipe={"epochs": 15}, seconds=0.0
)


def _console(*, terminal: bool = False) -> tuple[Console, StringIO]:
    file = StringIO()
    return Console(file=file, force_terminal=terminal, width=200, color_system=None), file


def test_a_line_tells_how_a_trial_ended() -> None:
    """Score or last accuracy, parameters, seconds and reason stand in one line."""
    assert "floor 98.77 %" in trial_line(COMPLETE)
    assert "1,234 parameters" in trial_line(COMPLETE)
    assert "12 s" in trial_line(COMPLETE)
    assert "82.00 % after 3 epochs" in trial_line(PRUNED)
    assert "33% over" in trial_line(REJECTED)
    unknown = replace(REJECTED, parameters=None, reason="line 5 'conv5 16': no room")
    assert trial_line(unknown).count("\n") == 0
    given = replace(PRUNED, attributes={"start_from": "ladders/a[b].toml#step"})
    assert trial_line(given).endswith("  from ladders/a[b].toml#step")


def test_piped_lines_are_plain_and_come_once() -> None:
    """Without a terminal each trained trial gives one line, rejections and running ones none."""
    console, file = _console()
    with Progress(console, 5, [COMPLETE], 2) as progress:
        progress.show([COMPLETE, REJECTED, RUNNING])
        assert file.getvalue() == ""
        given = replace(PRUNED, attributes={"start_from": "ladders/a[b].toml#step"})
        progress.show([COMPLETE, REJECTED, given, RUNNING])
        progress.show([COMPLETE, REJECTED, given, RUNNING])
    assert file.getvalue() == trial_line(given) + "\n"


def test_a_pipe_is_not_silent_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no trial ends for half a minute, a line says how far those in training are."""
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    console, file = _console()
    with Progress(console, 5, [], 2) as progress:
        for seconds in (0, 29, 31, 45, 62):
            clock[0] = 100.0 + seconds
            progress.show([RUNNING])
    assert file.getvalue().count("trial 10 after 3 of 15 epochs") == 2
    assert file.getvalue().count("\n") == 2


def test_a_terminal_shows_how_far_the_search_is() -> None:
    """The live line counts by outcome and tells the best score with its parameters."""
    console, file = _console(terminal=True)
    with Progress(console, 5, [], 2) as progress:
        progress.show([])
        assert "0 of 5 trials trained" in file.getvalue()
        assert "2 workers starting" in file.getvalue()
        progress.show([COMPLETE, REJECTED, PRUNED, RUNNING])
    shown = file.getvalue()
    assert "2 of 5 trials trained, 1 of them pruned; 1 rejected; " in shown
    assert "best 98.77 % with 1,234 parameters; about 17 s left; " in shown
    assert "trial 10 after 3 of 15 epochs: 82.00 %" in shown
    assert "\n" not in shown.split("2 of 5")[1].split("82.00 %")[0]
    assert trial_line(COMPLETE) in shown


def test_the_time_left_counts_trials_as_what_they_cost() -> None:
    """Pruned trials count with their seconds, those in training with what is left of theirs."""
    assert seconds_left([], 5, 2) is None
    assert seconds_left([replace(RUNNING, epochs=())], 5, 2) is None
    # Three epochs of a second promise 15 s a trial: five trials, of which 3 s are done.
    assert seconds_left([RUNNING], 5, 2) == (5 * 15 - 3) / 2
    cheap = replace(PRUNED, seconds=2.0)
    dear = replace(COMPLETE, seconds=10.0)
    assert seconds_left([cheap, dear, REJECTED, RUNNING], 5, 2) == (3 * 6 - 3) / 2
    assert seconds_left([cheap, dear], 3, 2) == 6
    assert seconds_left([cheap, dear], 2, 2) == 0
    late = replace(RUNNING, epochs=EPOCHS * 10)
    assert seconds_left([cheap, dear, late], 3, 2) == 0

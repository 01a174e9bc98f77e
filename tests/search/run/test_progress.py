from __future__ import annotations

from dataclasses import replace
from io import StringIO

from rich.console import Console

from search.run.progress import Progress, trial_line
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
RUNNING = replace(COMPLETE, number=10, outcome=None, score=None)


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
    with Progress(console, 5, [COMPLETE]) as progress:
        progress.show([COMPLETE, REJECTED, RUNNING])
        assert file.getvalue() == ""
        given = replace(PRUNED, attributes={"start_from": "ladders/a[b].toml#step"})
        progress.show([COMPLETE, REJECTED, given, RUNNING])
        progress.show([COMPLETE, REJECTED, given, RUNNING])
    assert file.getvalue() == trial_line(given) + "\n"


def test_a_terminal_shows_how_far_the_search_is() -> None:
    """The live line counts by outcome and tells the best score with its parameters."""
    console, file = _console(terminal=True)
    with Progress(console, 5, []) as progress:
        progress.show([])
        assert "0/5 trained, 0 rejected, 0 pruned, no score yet, ? left" in file.getvalue()
        progress.show([COMPLETE, REJECTED, PRUNED, RUNNING])
    shown = file.getvalue()
    assert "2/5 trained, 1 rejected, 1 pruned, best 98.77 % with 1,234" in shown
    assert trial_line(COMPLETE) in shown

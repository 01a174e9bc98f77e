from __future__ import annotations

import dataclasses
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from search.ladder import progress as module
from search.ladder.progress import LadderProgress
from tests.search.ladder.test_analysis import result
from tests.search.ladder.test_records import replay


def test_a_pipe_is_told_every_half_minute_what_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers that start, the first epoch and later ones are told, with the time they take."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    shown = StringIO()
    begun = dataclasses.replace(replay(0.9, 0.8), finished=False)
    states = [(), (dataclasses.replace(begun, epochs=()),), (begun,), (replay(0.9, 0.8, 0.7),)]
    with LadderProgress(Console(file=shown, width=40), 1, [result(tmp_path)], 2) as line:
        for replays in states:
            line.show([result(tmp_path, *replays)])
            now[0] += 31
            line.show([result(tmp_path, *replays)])
            line.show([result(tmp_path, *replays)])
    assert shown.getvalue().splitlines() == [
        "1 replay to go; 2 workers starting",
        "1 replay to go; skeleton, seed 1: in epoch 1 of 3 for 31 s",
        "1 replay to go; skeleton, seed 1: in epoch 3 of 3 for 31 s, 80.00 % after the one before",
        "small#skeleton, seed 1: best 90.00 % (reported 91.50 %), last 70.00 %, floor 70.00 %, "
        "2.0 s an epoch",
        "0 replays to go",
    ]

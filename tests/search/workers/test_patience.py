from __future__ import annotations

import threading

from search.workers.patience import said_if_slow


def test_only_slow_work_is_spoken_of() -> None:
    """A block that takes longer than the time says so once; a quick one says nothing."""
    said: list[str] = []
    with said_if_slow(said.append, "quick", seconds=60):
        pass
    told = threading.Event()
    with said_if_slow(lambda line: (said.append(line), told.set()), "slow", seconds=0.01):
        assert told.wait(60)
    assert said == ["slow"]

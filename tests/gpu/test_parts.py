from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.gpu.parts import Clock, OutOfTime, Part, PartsFile, Result, Skip, Turn, take_parts

ORIGIN = {"card": "a card", "versions": {"torch": "2"}, "commit": "abc", "settings": {}, "date": 1}


class Time:
    """Seconds that pass when a step of a part is taken."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Steps:
    """A part that takes some steps of a second each, and notes them."""

    def __init__(self, name: str, count: int, time: Time) -> None:
        self.taken: list[int] = []
        self.part = Part(name, "steps", self._take)
        self._count = count
        self._time = time

    def _take(self, turn: Turn) -> Iterator[Result]:
        taken = list(turn.earlier.get("taken", ()))
        for step in range(len(taken), self._count):
            self._time.seconds += 1
            self.taken.append(step)
            taken.append(step)
            yield {"taken": list(taken)}


def part(name: str, take: Callable[[Turn], Iterator[Result]]) -> Part:
    """A part that does what a function says."""
    return Part(name, "", take)


def run(
    parts: list[Part], path: Path, *, limit: float = 100, time: Time | None = None, **how: Any
) -> tuple[list[str], list[str]]:
    """Takes parts as a command does, quietly."""
    origin = {**ORIGIN, **how.pop("origin", {})}
    clock = Clock(limit, time or Time())
    taken = take_parts(parts, PartsFile(path, origin), clock, tell=lambda _: None, **how)
    assert taken.lost is (not how.get("usable", lambda: True)())
    return taken.failed, taken.left


def entries(path: Path) -> dict[str, Any]:
    """The parts of a file."""
    parts: dict[str, Any] = json.loads(path.read_text())["parts"]
    return parts


def fail(_: Turn) -> Iterator[Result]:
    """Fails after a first result."""
    yield {"first": 1}
    raise RuntimeError("no such kernel")


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.integers(1, 4))
def test_every_step_is_taken_once_however_often_time_runs_out(
    counts: list[int], limit: int
) -> None:
    """Commands that are repeated must end with all steps of all parts, none taken twice."""
    time = Time()
    all_steps = [Steps(f"part {index}", count, time) for index, count in enumerate(counts)]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file.json"
        for _ in range(sum(counts) + len(counts)):
            started = time.seconds
            _, left = run([each.part for each in all_steps], path, limit=limit, time=time)
            assert time.seconds - started <= limit
            if not left:
                break
        assert [each.taken for each in all_steps] == [list(range(count)) for count in counts]
        found = [entries(path)[each.part.name] for each in all_steps]
    assert [entry["state"] for entry in found] == ["done"] * len(counts)
    assert [entry["result"]["taken"] for entry in found] == [each.taken for each in all_steps]
    assert [entry["seconds"] for entry in found] == counts


def test_the_limit_stops_between_parts(tmp_path: Path) -> None:
    """When the time is over no part begins, and the parts that are left are named."""
    time = Time()
    first, second = Steps("first", 3, time), Steps("second", 1, time)
    path = tmp_path / "file.json"
    assert run([first.part, second.part], path, limit=3, time=time) == ([], ["first", "second"])
    assert (first.taken, second.taken) == ([0, 1, 2], [])
    assert entries(path)["first"]["state"] == "partial"


def test_a_part_has_its_share_of_the_time(tmp_path: Path) -> None:
    """A part with half of the time must leave the other half to those behind it."""
    time = Time()
    long, short = Steps("long", 9, time), Steps("short", 1, time)
    parts = [Part("long", "", long.part.take, share=0.5), short.part]
    assert run(parts, tmp_path / "file.json", limit=4, time=time) == ([], ["long"])
    assert (long.taken, short.taken) == ([0, 1], [0])


def test_a_failure_is_recorded_and_the_others_go_on(tmp_path: Path) -> None:
    """The error and the result so far are kept; the next command takes the failed part alone."""
    path, time = tmp_path / "file.json", Time()
    after = Steps("after", 1, time)
    for _ in range(2):
        assert run([part("bad", fail), after.part], path, time=time) == (["bad"], [])
    found = entries(path)
    assert found["bad"]["state"] == "failed"
    assert found["bad"]["error"] == "RuntimeError: no such kernel"
    assert found["bad"]["result"] == {"first": 1}
    assert after.taken == [0]


def test_a_process_that_lost_its_card_takes_no_further_part(tmp_path: Path) -> None:
    """What comes after a failure that cost the card is left for another process."""
    parts = [part("bad", fail), Steps("after", 1, Time()).part]
    found = run(parts, tmp_path / "file.json", usable=lambda: False)
    assert found == (["bad"], ["after"])


def test_a_part_may_make_no_sense_or_lack_time(tmp_path: Path) -> None:
    """Skipped is not repeated, and a part that lacks time stays to be taken."""
    calls = []

    def skip(_: Turn) -> Iterator[Result]:
        calls.append("skip")
        raise Skip("no graphs here")
        yield {}

    def wait(_: Turn) -> Iterator[Result]:
        calls.append("wait")
        raise OutOfTime
        yield {}

    path = tmp_path / "file.json"
    for _ in range(2):
        assert run([part("skip", skip), part("wait", wait)], path) == ([], ["wait"])
    assert calls == ["skip", "wait", "wait"]
    assert entries(path)["skip"]["error"] == "no graphs here"


@pytest.mark.parametrize(
    ("change", "count"),
    [
        ({"date": 2}, 1),
        ({"commit": "def"}, 2),
        ({"card": "another card"}, 2),
        ({"versions": {"torch": "3"}}, 2),
        ({"settings": {"batches": 1}}, 2),
    ],
)
def test_only_what_decides_a_figure_repeats_it(
    change: dict[str, Any], count: int, tmp_path: Path
) -> None:
    """Another commit, card, version or setting takes a part anew, from its beginning."""
    steps, path = Steps("steps", 1, Time()), tmp_path / "file.json"
    run([steps.part], path)
    run([steps.part], path, origin=change)
    assert steps.taken == [0] * count
    assert {key: entries(path)["steps"]["origin"][key] for key in change} == (
        change if count == 2 else {"date": 1}
    )


def test_again_repeats_what_is_finished(tmp_path: Path) -> None:
    """A finished part is taken from its beginning."""
    steps, path = Steps("steps", 2, Time()), tmp_path / "file.json"
    run([steps.part], path)
    run([steps.part], path, again=True)
    assert steps.taken == [0, 1, 0, 1]

"""Take measurements part by part into one JSON file, so that what was measured stays.

A part yields its result as it grows, and every one is written at once. A part that is finished
is not repeated for the same commit, card, versions and settings; one that was broken off is given
what it had. A part that fails is recorded with its error, and the others go on.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from tests.benchmarks.report import write_json

__all__ = [
    "Clock",
    "Failed",
    "OutOfTime",
    "Part",
    "PartsFile",
    "Result",
    "Skip",
    "State",
    "Taken",
    "Turn",
    "take_parts",
]

Result: TypeAlias = dict[str, Any]
"""JSON values."""

State = Literal["partial", "done", "failed", "skipped"]

_ALIKE = ("card", "versions", "commit", "settings")
"""What two origins share when a result of the one stands for the other."""


class Skip(Exception):
    """The part makes no sense on this device; the message says why."""


class OutOfTime(Exception):
    """The part cannot go on in the time that is left; the next command takes it up."""


class Failed(Exception):
    """The part has failed, with a result: the last one that it yielded."""


@dataclass
class Clock:
    """The time that one command has.

    Attributes:
        limit: seconds.
        now: gives the time, in seconds.
    """

    limit: float
    now: Callable[[], float] = time.monotonic
    _started: float = field(init=False)

    def __post_init__(self) -> None:
        self._started = self.now()

    def left(self, share: float = 1.0) -> float:
        """Return the seconds until a share of the limit is over; below 0 after it."""
        return share * self.limit - (self.now() - self._started)


@dataclass(frozen=True)
class Turn:
    """What a part is given.

    Attributes:
        earlier: the result that it had yielded when it was broken off or failed; else empty.
        left: gives the seconds that it may still take.
    """

    earlier: Result
    left: Callable[[], float]


@dataclass(frozen=True)
class Part:
    """One measurement.

    Attributes:
        name: a key of the file.
        about: what it measures, in one phrase.
        take: yields the result as it grows, whole every time.
        share: the part of the command's time until which it may go on.
    """

    name: str
    about: str
    take: Callable[[Turn], Iterator[Result]]
    share: float = 1.0


class PartsFile:
    """The results of one command on one card.

    Args:
        path: of the JSON file, which need not exist.
        origin: of what is measured now.
    """

    def __init__(self, path: Path, origin: Mapping[str, Any]) -> None:
        self.path = path
        self._origin = dict(origin)
        self._parts: dict[str, dict[str, Any]] = {}
        if path.exists():
            self._parts = json.loads(path.read_text(encoding="utf-8"))["parts"]

    def entry(self, name: str) -> Mapping[str, Any] | None:
        """Return what is known of a part for the present origin, None where nothing is."""
        found = self._parts.get(name)
        if found is None:
            return None
        alike = all(found["origin"].get(key) == self._origin.get(key) for key in _ALIKE)
        return found if alike else None

    def put(
        self, name: str, state: State, result: Result, *, seconds: float, error: str = ""
    ) -> None:
        """Write a part; the file is either the old or the new one, whenever the program ends."""
        entry: dict[str, Any] = {"state": state, "seconds": round(seconds, 2)}
        entry["result"] = _rounded(result)
        if error:
            entry["error"] = error
        self._parts[name] = {**entry, "origin": self._origin}
        write_json(self.path, {"card": self._origin["card"], "parts": self._parts})


def _rounded(result: Result) -> Result:
    """Return JSON values with six digits of each number that is not whole."""
    rounded: Result = json.loads(
        json.dumps(result), parse_float=lambda number: float(f"{float(number):.6g}")
    )
    return rounded


@dataclass
class Taken:
    """What became of the parts of one command.

    Attributes:
        failed: the names of the parts that failed.
        left: of those that are left to take.
        lost: whether a failure has left this process unable to measure on.
    """

    failed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    lost: bool = False


def take_parts(
    parts: Sequence[Part],
    file: PartsFile,
    clock: Clock,
    *,
    again: bool = False,
    tell: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True),
    usable: Callable[[], bool] = lambda: True,
) -> Taken:
    """Take the parts that the file lacks.

    Args:
        parts: in order.
        file: keeps the results.
        clock: no part begins, and none goes on, when the time is over.
        again: whether finished parts are repeated.
        tell: is given a line of progress.
        usable: whether this process can measure on after a part has failed.
    """
    report = Taken()
    for part in parts:
        entry = None if again else file.entry(part.name)
        if entry is not None and entry["state"] in ("done", "skipped"):
            tell(f"{part.name}: {entry['state']} before")
        elif report.lost or clock.left(part.share) <= 0:
            report.left.append(part.name)
        else:
            _take(part, file, clock, entry, tell, report)
            report.lost = part.name in report.failed and not usable()
    return report


def _take(
    part: Part,
    file: PartsFile,
    clock: Clock,
    entry: Mapping[str, Any] | None,
    tell: Callable[[str], None],
    report: Taken,
) -> None:
    result: Result = dict(entry["result"]) if entry else {}
    before = entry["seconds"] if entry else 0.0
    started = clock.now()

    def put(state: State, error: str = "") -> None:
        seconds = before + clock.now() - started
        file.put(part.name, state, result, seconds=seconds, error=error)

    state: State = "partial"
    error = ""
    results = part.take(Turn(result, lambda: clock.left(part.share)))
    try:
        for result in results:  # noqa: B007 - put() writes it
            put("partial")
            if clock.left(part.share) <= 0:
                break
        else:
            state = "done"
    except OutOfTime:
        pass
    except Skip as reason:
        state, error = "skipped", str(reason)
    except Failed as reason:
        state, error = "failed", str(reason)
    except Exception as problem:
        state, error = "failed", f"{type(problem).__name__}: {problem}"
        traceback.print_exc()
    if state == "partial" and hasattr(results, "close"):
        results.close()
    put(state, error)
    tell(f"{part.name}: {state}{f' ({error})' if error else ''}")
    if state == "failed":
        report.failed.append(part.name)
    elif state == "partial":
        report.left.append(part.name)

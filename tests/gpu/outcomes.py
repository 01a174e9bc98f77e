"""A plugin of pytest that writes what became of each test as soon as it has ended.

``python -m pytest -p tests.gpu.outcomes``, with the file in ``$FLYWEIGHT_OUTCOMES``: a line of
JSON for each test that was chosen, and one for each that has begun and each that has ended.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import pytest

__all__ = ["VARIABLE", "read"]

VARIABLE = "FLYWEIGHT_OUTCOMES"

_LOST = "CUDA error"
"""What torch says when an error has taken the card from the process for good."""


def read(path: Path) -> list[dict[str, object]]:
    """Return the lines of a file; none where there is no file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _write(values: Iterable[dict[str, object]]) -> None:
    with Path(os.environ[VARIABLE]).open("a", encoding="utf-8") as stream:
        stream.writelines(json.dumps(value) + "\n" for value in values)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write the tests that were chosen."""
    _write({"chosen": item.nodeid} for item in session.items)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Write a module that could not be imported as a test that failed."""
    if report.failed:
        _write([{"test": report.nodeid, "outcome": "error", "message": str(report.longrepr)}])


def pytest_runtest_logstart(nodeid: str) -> None:
    """Write that a test has begun, in case it takes the process with it."""
    _write([{"begun": nodeid}])


class _Session:
    """The session, which a report does not know."""

    now: pytest.Session | None = None


def pytest_sessionstart(session: pytest.Session) -> None:
    """Keep the session."""
    _Session.now = session


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Write how a test ended; stop where the process has lost its card."""
    if report.when != "call" and report.passed:
        return
    outcome = report.outcome if report.when == "call" or report.skipped else "error"
    message = "" if report.passed else str(report.longrepr)
    seconds = round(report.duration, 3)
    _write(
        [
            {
                "test": report.nodeid,
                "outcome": outcome,
                "seconds": seconds,
                "message": message[-4000:],
            }
        ]
    )
    if _LOST in message and _Session.now is not None:
        _Session.now.shouldstop = "the process has lost its card"

"""A plugin of pytest that writes what became of each test as soon as it has ended.

``python -m pytest -p tests.gpu.outcomes``, with the file in ``$FLYWEIGHT_OUTCOMES``: a line of
JSON for each test that was chosen, and one for each that has begun and each that has ended.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

__all__ = ["VARIABLE", "read"]

VARIABLE = "FLYWEIGHT_OUTCOMES"

_LOST = "CUDA error"
"""What torch says when an error has taken the card from the process for good."""

_LONGEST = 4000
"""Characters of a message that are kept, the last ones."""


def read(path: Path) -> list[dict[str, object]]:
    """Return the lines of a file; none where there is no file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Write from now on."""
    session.config.pluginmanager.register(_Writer(session, Path(os.environ[VARIABLE])))


class _Writer:
    """The hooks of one session.

    Args:
        session: that is stopped where the process has lost its card.
        path: of the file.
    """

    def __init__(self, session: pytest.Session, path: Path) -> None:
        self._session = session
        self._path = path

    def pytest_collection_finish(self) -> None:
        """Write the tests that were chosen."""
        for item in self._session.items:
            self._write(chosen=item.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Write a module that could not be imported as a test that failed."""
        if report.failed:
            self._write(test=report.nodeid, outcome="error", message=_end(report))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Write that a test has begun, in case it takes the process with it."""
        self._write(begun=nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write how a test ended; stop where the process has lost its card."""
        if report.when != "call" and report.passed:
            return
        outcome = report.outcome if report.when == "call" or report.skipped else "error"
        message = "" if report.passed else _end(report)
        seconds = round(report.duration, 3)
        self._write(test=report.nodeid, outcome=outcome, seconds=seconds, message=message)
        if _LOST in message:
            self._session.shouldstop = "the process has lost its card"

    def _write(self, **values: object) -> None:
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(values) + "\n")


def _end(report: pytest.CollectReport | pytest.TestReport) -> str:
    return str(report.longrepr)[-_LONGEST:]

"""The tests that need a card, tried without one: only their numbers may be wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.hollow

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import json
import sys

import pytest


class Outcomes:
    def __init__(self):
        self.raised = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        if call.when == "call":
            self.raised[item.nodeid] = call.excinfo.typename if call.excinfo else ""
        return (yield)


outcomes = Outcomes()
pytest.main(
    ["-q", "-m", "gpu", "-p", "no:cacheprovider", "-p", "no:xdist", "tests/trainer"],
    plugins=[outcomes],
)
print()
print(json.dumps(outcomes.raised))
"""


def test_gpu_tests_fail_by_their_numbers_alone() -> None:
    """No test marked gpu breaks a capture, waits where it may not, or stops with another error."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, cwd=ROOT
    )
    raised = json.loads(done.stdout.splitlines()[-1])
    assert len(raised) > 20
    others = {name: error for name, error in raised.items() if error not in ("", "AssertionError")}
    assert others == {}, done.stdout

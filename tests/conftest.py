"""What all tests share: the place of their temporary folders."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")
ENOUGH = 1 << 30


def pytest_configure(config: pytest.Config) -> None:
    """Put the tests' folders into memory where Linux has room there.

    Each database that a test makes waits for the disk some twenty times, half a second in all.
    """
    if config.getoption("basetemp") or sys.platform != "linux" or not os.access(MEMORY, os.W_OK):
        return
    if shutil.disk_usage(MEMORY).free >= ENOUGH:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

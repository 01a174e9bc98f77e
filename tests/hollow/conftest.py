"""All tests of this folder run on the hollow device, each with an empty journal."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.hollow import journal


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests where the device is not preloaded."""
    if journal.is_loaded():
        return
    skip = pytest.mark.skip(reason="no hollow device is preloaded; run python -m tests.hollow")
    for item in items:
        if "tests/hollow/" in item.path.as_posix():
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    """Start with an empty journal and give memory that was limited back."""
    limits = [journal.memory_limit(device) for device in range(int(os.environ["HOLLOW_DEVICES"]))]
    journal.reset()
    yield
    for device, limit in enumerate(limits):
        journal.limit_memory(limit, device)

"""What the tests of exports share."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True, scope="module")
def always_one_thread(one_thread: None) -> None:
    """All of them compute in one thread."""

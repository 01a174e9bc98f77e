"""What all tests share: the place of their folders, their share of the cores, quick workers."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import register_random, settings

MEMORY = Path("/dev/shm")
ENOUGH = 1 << 30


# How long an example takes depends on what else the machine does. `--hypothesis-profile=thorough`
# looks longer than every run can.
settings.register_profile("flyweight", deadline=None, max_examples=60)
settings.register_profile("thorough", deadline=None, max_examples=500)
settings.load_profile("flyweight")


class _TorchRandom:
    """Torch's generator, as hypothesis wants to have it; imported once the environment is set."""

    def seed(self, seed: int) -> None:
        import torch

        torch.manual_seed(seed)

    def getstate(self) -> object:
        import torch

        return torch.get_rng_state()

    def setstate(self, state: Any) -> None:
        import torch

        torch.set_rng_state(state)


_TORCH_RANDOM = _TorchRandom()
# So that an example that failed fails again. Hypothesis holds it weakly.
register_random(_TORCH_RANDOM)


def pytest_configure(config: pytest.Config) -> None:
    """Set the environment of the processes in which the tests run."""
    if config.getoption("numprocesses", None):
        # As many processes as cores, each of which would start as many threads, wait for each other
        # more than they compute.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    if not config.getoption("basetemp") and _has_room_in_memory():
        # Each database that a test makes waits for the disk some twenty times, half a second in
        # all.
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.fixture(scope="module")
def warm_workers() -> Iterator[None]:
    """Workers are forked from a process that has imported what they need, for the module."""
    from tests.search.warm_workers import forked  # most tests need none of what it imports

    with forked():
        yield


def _has_room_in_memory() -> bool:
    """Return whether temporary folders can lie in memory, as on most Linux machines."""
    if sys.platform != "linux" or not os.access(MEMORY, os.W_OK):
        return False
    return shutil.disk_usage(MEMORY).free >= ENOUGH

"""The number of workers that suits a machine."""

from __future__ import annotations

import os

import torch

__all__ = ["cores", "workers_for"]

# With more, many candidates would be drawn before the sampler has learned from those in training.
_MOST_WORKERS = 16
_WORKERS_PER_GPU = 4


def workers_for(device: torch.device, pieces: int) -> int:
    """Return how many workers to start on this machine by default, at least one.

    One core for each worker is faster than several cores for one, as long as there is enough work.

    Args:
        device: that trains.
        pieces: of work that are left, such as trials.
    """
    most = min(cores(), _MOST_WORKERS)
    if device.type == "cuda":
        most = min(most, _WORKERS_PER_GPU * torch.cuda.device_count())
    elif device.type != "cpu":
        most = 1
    return max(1, min(most, pieces))


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

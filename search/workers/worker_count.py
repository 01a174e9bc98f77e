"""The number of workers that suits a machine."""

from __future__ import annotations

import os

import torch

__all__ = ["cores", "cuda_devices", "workers_for"]

# With more, many candidates would be drawn before the sampler has learned from those in training.
_MOST_WORKERS = 16
# Processes take turns on a GPU, unless NVIDIA's multi-process service (MPS) runs. Several hide each
# other's set-up, the work of the CPU between two trainings, and nothing else.
_WORKERS_PER_GPU = 4


def workers_for(device: torch.device, pieces: int) -> int:
    """Return how many workers to start on this machine by default, at least one.

    One core for each worker is faster than several cores for one, as long as there is enough work.
    A GPU gets four workers, which take turns on it; a second GPU gets four more, which do not wait
    for those of the first.

    Args:
        device: that trains; without an index it stands for all CUDA devices of the machine.
        pieces: of work that are left, such as trials.
    """
    most = min(cores(), _MOST_WORKERS)
    if device.type == "cuda":
        most = min(most, _WORKERS_PER_GPU * len(cuda_devices(device)))
    elif device.type != "cpu":
        most = 1
    return max(1, min(most, pieces))


def cuda_devices(device: torch.device) -> list[torch.device]:
    """Return the CUDA devices that a device stands for: itself, or without an index all."""
    if device.index is not None:
        return [device]
    return [torch.device("cuda", index) for index in range(torch.cuda.device_count())]


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

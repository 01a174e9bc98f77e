"""The facts that a worker knows of itself and of the other workers on its machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from search.workers.devices import choose_device, share_device, use_threads

__all__ = ["WorkerContext"]


@dataclass(frozen=True)
class WorkerContext:
    """One of the workers on a machine.

    Attributes:
        index: its number, from 0.
        workers: how many there are on this machine.
        device: name of the device; None for the fastest one.
        data: root of the data sets.
    """

    index: int
    workers: int
    device: str | None
    data: Path

    def open_device(self) -> torch.device:
        """Take this worker's share of the cores and of the device, and return the device.

        Raises:
            DeviceError: if this machine does not have the device.
        """
        use_threads(self.workers)
        return share_device(choose_device(self.device), self.index, self.workers)

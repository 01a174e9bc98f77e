"""What a training's figures depend on besides its candidate, its seed and its images."""

from __future__ import annotations

from typing import Any

import torch

from search.workers.devices import hardware, versions
from trainer.backends.choose import Backend
from trainer.loop import Epoch
from trainer.native.library import kernels_build

__all__ = ["conditions_before", "conditions_of"]


def conditions_before(device: torch.device) -> dict[str, Any]:
    """Return what is known before the first epoch: ``device``, ``versions`` and ``threads``.

    Args:
        device: that trains.
    """
    return {
        "device": hardware(device),
        "versions": versions(),
        "threads": torch.get_num_threads(),
    }


def conditions_of(epoch: Epoch) -> dict[str, str]:
    """Return what an epoch was computed with: its ``path``, ``precision`` and ``kernels``.

    The kernels are named by their build, which depends on their sources, the compiler and the
    processor; ``none`` on another path.
    """
    compiled = epoch.backend is Backend.COMPILED
    return {
        "path": epoch.backend,
        "precision": epoch.precision,
        "kernels": kernels_build() if compiled else "none",
    }

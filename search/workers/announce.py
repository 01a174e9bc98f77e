"""What a command says before its workers start."""

from __future__ import annotations

import torch
from rich.console import Console

from search.text import plural
from search.workers.devices import hardware
from trainer.backends.choose import prepare_backend

__all__ = ["announce"]


def announce(what: str, device: torch.device, workers: int, console: Console) -> None:
    """Says what begins and where, builds the fast path first and says where there is none."""
    pool = plural(workers, "worker")
    console.print(f"{what}: {pool} on {hardware(device)}", highlight=False, markup=False)
    if reason := prepare_backend(device):
        console.print(f"training without compiled kernels: {reason}", highlight=False, markup=False)

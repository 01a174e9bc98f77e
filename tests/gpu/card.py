"""The device that is measured: its name, its driver, and what a figure needs beside it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from search.workers.devices import choose_device, hardware, versions
from search.workers.worker_count import cores
from tests.gpu.places import RESULTS, TRIED, code_commit

__all__ = ["default_folder", "open_device", "origin", "slug", "still_works", "synchronise"]

_HOLLOW = "hollow"


def open_device(name: str | None) -> torch.device:
    """Return the device of a name, by default the best there is, with its index.

    Raises:
        DeviceError: if this machine does not have it.
    """
    device = choose_device(name)
    if device.type == "cuda" and device.index is None:
        return torch.device("cuda", 0)
    return device


def slug(device: torch.device) -> str:
    """Return a device's name in small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", hardware(device).lower()).strip("-")


def default_folder(device: torch.device) -> Path:
    """Return where results are kept: beside the code only if a card has given them."""
    if device.type == "cpu" or _HOLLOW in slug(device):
        return TRIED
    return RESULTS


def origin(device: torch.device, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the machine, the versions, the commit, the date and the command of a figure.

    Args:
        device: that is measured.
        settings: what was asked for, other than by default.
    """
    return {
        "card": hardware(device),
        "device": str(device),
        **_card(device),
        "processor": hardware(torch.device("cpu")),
        "cores": cores(),
        "versions": {**versions(), **_libraries()},
        "commit": code_commit(),
        "settings": settings,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join(["python", "-m", f"tests.gpu.{Path(sys.argv[0]).stem}", *sys.argv[1:]]),
    }


def synchronise(device: torch.device) -> None:
    """Wait until a device has done all that it was given."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def still_works(device: torch.device) -> bool:
    """Return whether a device computes; after some errors a process has lost its card for good."""
    try:
        torch.zeros(1, device=device).add_(1).cpu()
        synchronise(device)
    except RuntimeError:
        return False
    return True


def _card(device: torch.device) -> dict[str, Any]:
    if device.type != "cuda":
        return {}
    found = torch.cuda.get_device_properties(device)
    return {
        "cards": torch.cuda.device_count(),
        "capability": f"{found.major}.{found.minor}",
        "multiprocessors": found.multi_processor_count,
        "memory_gib": round(found.total_memory / 2**30, 1),
        "driver": _driver(),
    }


def _libraries() -> dict[str, str]:
    cudnn: Callable[[], int | None] = torch.backends.cudnn.version
    return {"cuda": str(torch.version.cuda), "cudnn": str(cudnn())}


def _driver() -> str:
    program = shutil.which("nvidia-smi")
    if program is None:
        return "unknown"
    done = subprocess.run(
        [program, "--query-gpu=driver_version", "--format=csv,noheader"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip().partition("\n")[0] or "unknown"

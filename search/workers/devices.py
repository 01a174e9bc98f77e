"""The device that trains."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from search.errors import DeviceError

__all__ = ["choose_device", "hardware", "versions"]


def choose_device(name: str | None) -> torch.device:
    """Returns the named device; without a name CUDA, else MPS, else the CPU.

    Raises:
        DeviceError: if there is no such device here.
    """
    if name is None:
        if torch.cuda.is_available():
            name = "cuda"
        else:
            name = "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise DeviceError(f"--device {name!r} is no device; use cpu, cuda, cuda:N or mps") from None
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            raise DeviceError(f"--device {name}: this machine has {count} CUDA devices; use cpu")
    elif device.type == "mps":
        if not torch.backends.mps.is_available():
            raise DeviceError("--device mps: this machine has no MPS device; use cpu")
    elif device.type != "cpu":
        raise DeviceError(f"--device {name!r} is not supported; use cpu, cuda, cuda:N or mps")
    return device


def hardware(device: torch.device) -> str:
    """Returns a device's name as its maker gives it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return _processor_name()


def _processor_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Returns the versions of what decides a trial's figures."""
    found = {"python": platform.python_version(), "torch": torch.__version__}
    for package in ("flyweight", "optuna", "torchvision"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found

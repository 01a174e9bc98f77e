"""The device that trains: its choice, a worker's share of it, and its name."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from search.errors import DeviceError
from search.workers.worker_count import cores, cuda_devices

__all__ = [
    "choose_device",
    "describe_sharing",
    "hardware",
    "memory_share",
    "share_device",
    "use_threads",
    "versions",
]

# CUDA's context, its compiled kernels and the handles of cuBLAS and cuDNN: an estimate.
_LIBRARIES_BYTES = 1 << 30


def choose_device(name: str | None) -> torch.device:
    """Return the named device; without a name CUDA, else MPS, else the CPU.

    Raises:
        DeviceError: if this machine does not have the device.
    """
    if name is None:
        if torch.cuda.is_available():
            name = "cuda"
        else:
            name = "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise DeviceError(
            f"--device {name!r} is not a device; use cpu, cuda, cuda:N or mps"
        ) from None
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if not count:
            raise DeviceError(f"--device {name}: this machine has no CUDA device; use cpu")
        if (device.index or 0) >= count:
            there = ", ".join(f"cuda:{index}" for index in range(count))
            raise DeviceError(f"--device {name}: this machine has {there}; use one of them or cpu")
    elif device.type == "mps":
        if not torch.backends.mps.is_available():
            raise DeviceError("--device mps: this machine has no MPS device; use cpu")
    elif device.type != "cpu":
        raise DeviceError(f"--device {name!r} is not supported; use cpu, cuda, cuda:N or mps")
    return device


def share_device(device: torch.device, index: int, workers: int) -> torch.device:
    """Take one worker's share of a device and return the device that the worker uses.

    Where a machine has several CUDA devices and none was named, the workers are dealt out over
    them. The memory of a CUDA device is divided evenly among its workers.

    Args:
        device: the device chosen for all workers.
        index: of the worker, from 0.
        workers: how many share the machine.
    """
    if device.type != "cuda":
        return device
    for own, users in _deal_out(device, workers):
        if index in users:
            total = torch.cuda.get_device_properties(own).total_memory
            torch.cuda.set_per_process_memory_fraction(memory_share(total, len(users)), own)
            return own
    raise ValueError(f"worker {index} is none of {workers}")


def memory_share(total: int, sharing: int) -> float:
    """Return the part of a CUDA device's memory, 0 to 1, that torch may take for one worker.

    Torch does not count the memory that CUDA itself and its libraries take in each process, so
    where several workers share a device some is left for these.

    Args:
        total: memory of the device in bytes.
        sharing: workers that use the device, at least 1.
    """
    if sharing == 1:
        return 1.0
    share = total / sharing
    return max(share - _LIBRARIES_BYTES, share / 2) / total


def describe_sharing(device: torch.device, workers: int) -> list[str]:
    """Return a line for each CUDA device with the workers that use it; none for other devices."""
    return [
        f"{own} ({hardware(own)}): {_numbers(users)}" for own, users in _deal_out(device, workers)
    ]


def _deal_out(device: torch.device, workers: int) -> list[tuple[torch.device, range]]:
    """Return the CUDA devices that are used, each with the numbers of its workers."""
    if device.type != "cuda":
        return []
    devices = cuda_devices(device)
    shares = (range(place, workers, len(devices)) for place in range(len(devices)))
    return [(own, users) for own, users in zip(devices, shares, strict=True) if users]


def _numbers(users: range) -> str:
    if len(users) == 1:
        return f"worker {users[0]}"
    first = ", ".join(str(index) for index in users[:-1])
    return f"workers {first} and {users[-1]}, which take turns"


def use_threads(workers: int) -> None:
    """Let this process use its share of the machine's cores, at least one thread."""
    torch.set_num_threads(max(1, cores() // workers))


def hardware(device: torch.device) -> str:
    """Return a device's name as its maker gives it."""
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
    """Return the versions of the packages that decide a trial's figures."""
    found = {"python": platform.python_version(), "torch": torch.__version__}
    for package in ("flyweight", "optuna", "torchvision"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found

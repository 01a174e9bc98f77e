"""Read what was asked of the hollow devices: the journal, the memory and what lives on them."""

from __future__ import annotations

import ctypes
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

__all__ = [
    "LAUNCHES",
    "Kind",
    "Place",
    "Record",
    "Thing",
    "forget_peak",
    "is_loaded",
    "limit_memory",
    "living",
    "mark",
    "memory_limit",
    "peak_memory",
    "pinned_memory",
    "read",
    "records",
    "reset",
    "used_memory",
    "waits",
]


class Kind(StrEnum):
    """What a record is about; ``device/journal.h`` says what its amount is."""

    KERNEL = "kernel"
    MEMCPY = "memcpy"
    MEMSET = "memset"
    HOST_FUNCTION = "host_function"
    GRAPH = "graph"
    SYNC = "sync"
    VIOLATION = "violation"
    ALLOC = "alloc"
    FREE = "free"
    HOST_ALLOC = "host_alloc"
    HOST_FREE = "host_free"
    OUT_OF_MEMORY = "out_of_memory"
    CAPTURE_BEGIN = "capture_begin"
    CAPTURE_END = "capture_end"
    CREATE = "create"
    DESTROY = "destroy"
    STREAM_WAIT = "stream_wait"
    MARK = "mark"


LAUNCHES = frozenset({Kind.KERNEL, Kind.MEMCPY, Kind.MEMSET, Kind.HOST_FUNCTION, Kind.GRAPH})
"""The kinds of what is given to a stream."""


class Place(StrEnum):
    """Where a record stands to the captures under way: none, in one, or while there is one."""

    LIVE = "live"
    GRAPH = "graph"
    BESIDE = "beside"


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the journal.

    Attributes:
        kind: what happened.
        place: in or beside a capture.
        device: the index of the calling thread's device.
        amount: bytes of memory or nodes of a graph, 0 for others.
        name: of the kernel, the call or the mark.
    """

    kind: Kind
    place: Place
    device: int
    amount: int
    name: str


class Thing(StrEnum):
    """What is made on a device and is to be destroyed again, in the order of ``journal.h``."""

    STREAM = "stream"
    EVENT = "event"
    GRAPH = "graph"
    EXECUTABLE = "executable"
    HANDLE = "handle"
    DESCRIPTOR = "descriptor"


def is_loaded() -> bool:
    """Return whether this process runs on the hollow device."""
    return sys.platform == "linux" and hasattr(ctypes.CDLL(None), "hollow_write")


def reset() -> None:
    """Empty the journal."""
    _device().hollow_reset()


def mark(name: str) -> None:
    """Write a mark into the journal."""
    _device().hollow_mark(name.encode())


def records() -> list[Record]:
    """Return the journal of this process since it was last reset."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal"
        write(path)
        return read(path)


def write(path: Path | str) -> None:
    """Write the journal of this process since it was last reset into a file.

    Raises:
        OSError: if the file cannot be written.
    """
    if _device().hollow_write(str(path).encode()):
        raise OSError(f"the journal could not be written to {path}")


def read(path: Path) -> list[Record]:
    """Return the journal that a process wrote into a file."""
    lines = path.read_text().splitlines()
    return [_record(*line.split("\t", 4)) for line in lines]


def _record(kind: str, place: str, device: str, amount: str, name: str) -> Record:
    return Record(Kind(kind), Place(place), int(device), int(amount), name)


def waits(of: Iterable[Record]) -> int:
    """Return how often the host waited for a device.

    A copy to pageable memory waits by itself; torch waits once more right after it.
    """
    count, copied = 0, False
    for record in of:
        waited = record.kind is Kind.SYNC
        copying = record.kind is Kind.MEMCPY and record.name == "device to pageable"
        count += (waited and not copied) or copying
        copied = copying
    return count


def used_memory(device: int = 0) -> int:
    """Return the bytes of a device that are allocated."""
    return int(_device().hollow_used(device))


def peak_memory(device: int = 0) -> int:
    """Return the most bytes of a device that were allocated since :func:`forget_peak`."""
    return int(_device().hollow_peak(device))


def forget_peak(device: int = 0) -> None:
    """Let the peak be what is allocated now."""
    _device().hollow_forget_peak(device)


def memory_limit(device: int = 0) -> int:
    """Return the bytes that a device has."""
    return int(_device().hollow_limit_of(device))


def limit_memory(size: int, device: int = 0) -> None:
    """Set the bytes that a device has; what is allocated stays."""
    _device().hollow_limit(device, size)


def pinned_memory() -> int:
    """Return the bytes of pinned memory of the host."""
    return int(_device().hollow_pinned())


def living(thing: Thing) -> int:
    """Return how many of a kind of thing were made and not destroyed yet."""
    return int(_device().hollow_living(list(Thing).index(thing)))


@cache
def _device() -> ctypes.CDLL:
    library = ctypes.CDLL(None)
    for name in ("used", "peak", "limit_of", "pinned"):
        getattr(library, f"hollow_{name}").restype = ctypes.c_size_t
    library.hollow_living.restype = ctypes.c_long
    library.hollow_mark.argtypes = library.hollow_write.argtypes = [ctypes.c_char_p]
    library.hollow_limit.argtypes = [ctypes.c_int, ctypes.c_size_t]
    return library

"""Refuse data that this machine cannot hold, before it is read."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from trainer.errors import DataError
from trainer.words import plural

__all__ = ["memory_bytes", "require_bytes", "require_memory"]

_CGROUP = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def memory_bytes() -> int | None:
    """Return the memory of this machine, or of the container that this runs in; None if unknown."""
    known = []
    if hasattr(os, "sysconf"):
        with suppress(OSError, ValueError):
            known.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    else:
        known.append(_windows_memory())
    for file in _CGROUP:
        with suppress(OSError, ValueError):
            known.append(int(Path(file).read_text()))
    found = [value for value in known if value > 0]
    return min(found) if found else None


def require_memory(shape: Sequence[int]) -> None:
    """Check that uint8 images of a shape fit.

    Args:
        shape: images, channels, height, width.

    Raises:
        DataError: if they do not.
    """
    count, *image = shape
    size = "x".join(map(str, image))
    what = f"{plural(count, 'image')} of {size} {'needs' if count == 1 else 'need'}"
    require_bytes(math.prod(shape), what, "; set a smaller image_size")


def require_bytes(size: int, what: str, way_out: str = "") -> None:
    """Check that so many bytes fit.

    Args:
        size: in bytes.
        what: needs them, for the message.
        way_out: ends the message.

    Raises:
        DataError: if they do not.
    """
    memory = memory_bytes()
    if memory is not None and size > memory:
        raise DataError(
            f"{what} {size / 2**30:,.1f} GiB, but there are {memory / 2**30:,.1f} GiB of "
            f"memory{way_out}"
        )


def _windows_memory() -> int:
    if sys.platform != "win32":
        return 0
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            ("total", ctypes.c_ulonglong),
            ("rest", ctypes.c_ulonglong * 6),
        )

    status = Status(length=ctypes.sizeof(Status))
    ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
    return int(status.total)

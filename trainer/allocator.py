"""Keeping freed memory in the process instead of giving it back to the system."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

__all__ = ["keep_freed_memory"]

# Of glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3

_LARGEST_KEPT_BYTES = 1 << 25
_KEPT_BYTES = 1 << 30


@cache
def keep_freed_memory() -> bool:
    """Tells the C library to keep what is freed, up to 1 GiB, for the next tensor.

    A training step frees and asks for the same megabytes again and again. Given back in between,
    every page of them is fetched and cleared by the system anew, which takes longer than what is
    computed with them.

    Returns:
        Whether the C library is one that can be told; it is told once in a process.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    kept = mallopt(_M_MMAP_THRESHOLD, _LARGEST_KEPT_BYTES)
    return bool(kept and mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES))

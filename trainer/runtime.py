"""Settings of the process for training: freed memory, threads, one error for full memory."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch

from trainer.errors import OutOfMemory

__all__ = ["keep_freed_memory", "torch_threads", "working_memory"]

# Of glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3

_LARGEST_KEPT_BYTES = 1 << 25
_KEPT_BYTES = 1 << 30

# What torch and the libraries below it say, in lower case, when they get no memory. Only CUDA
# has an exception of its own for it.
_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")


@cache
def keep_freed_memory() -> bool:
    """Make the C library keep freed memory, up to 1 GiB, for the next tensor.

    A training step frees and asks for the same megabytes again and again. Given back in between,
    every page of them is fetched and cleared by the system anew, which takes longer than what is
    computed with them.

    Returns:
        Whether the C library has this setting; it is set once per process.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    kept = mallopt(_M_MMAP_THRESHOLD, _LARGEST_KEPT_BYTES)
    return bool(kept and mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES))


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Let torch use ``count`` threads inside the block; restore the number afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def working_memory(device: torch.device, batch_size: int) -> Iterator[None]:
    """Turn the errors that torch raises when a device's memory is full into one.

    Args:
        device: where the block works, for the message.
        batch_size: images per step, for the message.

    Raises:
        OutOfMemory: if the block ran out of memory.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        words = str(error)
        if not isinstance(error, MemoryError) and not _is_about_memory(words):
            raise
        raise OutOfMemory(
            f"{device} ran out of memory with batches of {batch_size} images; lower "
            f"batch_size or make the network smaller ({words.partition(chr(10))[0]})"
        ) from error


def _is_about_memory(words: str) -> bool:
    return any(sign in words.lower() for sign in _NO_MEMORY)

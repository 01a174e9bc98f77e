"""Telling want of memory from other errors of torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from trainer.errors import OutOfMemory

__all__ = ["working_memory"]

# What torch and the libraries below it say, in lower case, when they get no memory. Only CUDA
# has an exception of its own for it.
_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")


@contextmanager
def working_memory(device: torch.device, batch_size: int) -> Iterator[None]:
    """Turns what torch raises for want of memory on a device into one kind of error.

    Raises:
        OutOfMemory: where the block found none.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        words = str(error)
        if not isinstance(error, MemoryError) and not _is_about_memory(words):
            raise
        raise OutOfMemory(
            f"{device} has no memory left with batches of {batch_size} images; lower "
            f"batch_size or make the network smaller ({words.partition(chr(10))[0]})"
        ) from error


def _is_about_memory(words: str) -> bool:
    return any(sign in words.lower() for sign in _NO_MEMORY)

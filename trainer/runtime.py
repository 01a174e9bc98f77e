"""Settings of the process for training: freed memory, threads, exact figures, full memory."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from textwrap import shorten
from types import TracebackType
from typing import Any

import torch

from trainer.errors import OutOfMemory

__all__ = [
    "NoEngine",
    "exact_figures",
    "in_one_line",
    "is_out_of_memory",
    "keep_freed_memory",
    "precision",
    "torch_threads",
    "working_memory",
]

# Of glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3

_LARGEST_KEPT_BYTES = 1 << 25
_KEPT_BYTES = 1 << 30

# What torch and the libraries below it say, in lower case, when they get no memory. Only CUDA
# has an exception of its own for it.
_NO_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "alloc_failed",
    "allocation_failed",  # cuDNN 9
)
# Torch tries one way after the other to compute a convolution and says this when none worked. It
# drops the reasons, of which a lack of memory is the usual one.
_NO_ENGINE = "unable to find an engine"

_LONGEST_WORDS = 160  # of a library's message, inside one of flyweight's

_PRECISION = "ieee"  # torch's word for float32 without shortcuts


class NoEngine(OutOfMemory):
    """A convolution that could be computed in no way, probably because the memory is full.

    Once torch has given back what it holds in reserve it may work.
    """


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


def precision(device: torch.device) -> str:
    """Return the precision of float32 convolutions and matrix products on a device.

    Returns:
        ``"ieee"`` for all 24 bits, ``"tf32"`` for 11 bits; torch's words.
    """
    if device.type != "cuda":
        return _PRECISION
    found = {each.fp32_precision for each in _float32_settings()}
    return "tf32" if "tf32" in found else _PRECISION


@contextmanager
def exact_figures(device: torch.device) -> Iterator[None]:
    """Let a CUDA device compute repeatably and in full precision inside the block.

    Of its own accord torch lets convolutions round their inputs to 11 bits (TF32), and a network's
    figures would then not be those of a CPU, nor of the exported network there. Other devices
    need no setting. The settings hold for the whole process until the block ends.
    """
    if device.type != "cuda":
        yield
        return
    before = [each.fp32_precision for each in _float32_settings()]
    deterministic = torch.backends.cudnn.deterministic
    try:
        torch.backends.cudnn.deterministic = True
        for each in _float32_settings():
            each.fp32_precision = _PRECISION
        yield
    finally:
        torch.backends.cudnn.deterministic = deterministic
        for each, value in zip(_float32_settings(), before, strict=True):
            each.fp32_precision = value


def _float32_settings() -> tuple[Any, Any]:
    cudnn: Any = torch.backends.cudnn
    return cudnn.conv, torch.backends.cuda.matmul


class working_memory:
    """Turn the errors that torch raises when a device's memory is full into one.

    A generator with ``contextmanager`` would not do: since Python 3.12 the error that it turns then
    holds the frames that raised it in a circle, and so the memory of the device, until the garbage
    collector comes by.

    Args:
        device: where the block works, for the message.
        batch_size: images per step, for the message.

    Raises:
        OutOfMemory: if the block ran out of memory; NoEngine, a kind of it, where that is only
            likely.
    """

    def __init__(self, device: torch.device, batch_size: int) -> None:
        self._device = device
        self._batch_size = batch_size

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None or not is_out_of_memory(error):
            return
        raised = NoEngine if _NO_ENGINE in str(error).lower() else OutOfMemory
        raise raised(
            f"{self._device} ran out of memory with batches of {self._batch_size} images; lower "
            f"batch_size or make the network smaller ({in_one_line(error)})"
        ) from error


def in_one_line(error: BaseException) -> str:
    """Return what an error of a library says, on one line and cut to a length for a message."""
    return shorten(str(error), _LONGEST_WORDS)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error of torch says, or is likely to mean, that the memory is full."""
    if isinstance(error, MemoryError):
        return True
    words = str(error).lower()
    return isinstance(error, RuntimeError) and any(
        sign in words for sign in (*_NO_MEMORY, _NO_ENGINE)
    )

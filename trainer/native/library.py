"""The compiled kernels as Python functions."""

from __future__ import annotations

from ctypes import CDLL, c_double, c_float, c_int, c_int64, c_uint64, c_void_p
from functools import cache
from pathlib import Path

from trainer.errors import NoKernels
from trainer.native.toolchain import build_library

__all__ = ["SOURCE", "load_kernels"]

SOURCE = Path(__file__).parent / "csrc" / "api.cpp"

_PIXELS = [c_void_p, c_int64, c_int64, c_int64, c_int64, c_int]
_SIGNATURES: dict[str, tuple[list[type], type | None]] = {
    "new": ([c_int], c_void_p),
    "free": ([c_void_p], None),
    "map": ([c_void_p, *[c_int] * 3], c_int),
    "convolution": (
        [c_void_p, *[c_int] * 8, c_void_p, c_void_p, *[c_int64] * 3, c_void_p, c_void_p],
        None,
    ),
    "elementwise": (
        [c_void_p, *[c_int] * 4, c_float, c_int, *[c_void_p] * 7, c_float, c_float],
        None,
    ),
    "pool": ([c_void_p, *[c_int] * 5], None),
    "addition": ([c_void_p, *[c_int] * 3], None),
    "finish": ([c_void_p, c_int], c_int),
    "forward": ([c_void_p, *_PIXELS, c_uint64, c_void_p], c_int),
    "backward": ([c_void_p, c_void_p], c_int),
    "learn": (
        [c_void_p, *_PIXELS, c_uint64, c_void_p, c_double, c_void_p, c_void_p],
        c_int,
    ),
    "infer": ([c_void_p, *_PIXELS, c_void_p], c_int),
}


def load_kernels() -> CDLL:
    """Returns the library, built first where that has not happened on this machine yet.

    Raises:
        NoKernels: if it cannot be built or loaded.
    """
    library = _load()
    if isinstance(library, NoKernels):
        raise NoKernels(str(library))
    return library


@cache
def _load() -> CDLL | NoKernels:
    try:
        library = CDLL(str(build_library(SOURCE)))
        for name, (arguments, result) in _SIGNATURES.items():
            function = getattr(library, f"flyweight_{name}")
            function.argtypes, function.restype = arguments, result
    except NoKernels as error:
        return error
    except (OSError, AttributeError) as error:
        return NoKernels(f"the compiled kernels cannot be loaded: {error}")
    return library

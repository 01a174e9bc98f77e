from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import ctypes
import resource
from trainer.runtime import keep_freed_memory

library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
library.malloc.argtypes = library.free.argtypes = [ctypes.c_size_t]
library.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
size = 4_000_000


def work():
    held = [library.malloc(size) for _ in range(8)]
    for place in held:
        library.memset(place, 1, size)
    for place in held:
        library.free(place)


told = {told} and keep_freed_memory()
work()
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    work()
print(told, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*, told: bool) -> int:
    """Page faults of a process that takes and frees the same large memory 20 times."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(told=told)],
        check=True,
        capture_output=True,
        text=True,
    )
    answer, count = done.stdout.split()
    assert answer == str(told)
    return int(count)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_freed_memory_is_used_again() -> None:
    """Memory that is freed and taken again and again must not cost its pages every time."""
    assert faults(told=True) < faults(told=False) / 10

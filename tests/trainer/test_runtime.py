from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch

from trainer.errors import OutOfMemory
from trainer.runtime import NoEngine, exact_figures, is_out_of_memory, precision, working_memory

CUDA = torch.device("cuda", 0)
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


SETTINGS = {
    "tf32": lambda: setattr(torch.backends.cudnn.conv, "fp32_precision", "tf32"),
    "high": lambda: torch.set_float32_matmul_precision("high"),
    "all": lambda: setattr(torch.backends, "fp32_precision", "tf32"),
    "untouched": lambda: None,
}


@pytest.fixture
def restored() -> Iterator[None]:
    """Torch's settings are those of a fresh process again after the test."""
    yield
    torch.backends.fp32_precision = "none"
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.conv.fp32_precision = "tf32"


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("setting", SETTINGS)
def test_a_gpu_computes_exactly_in_the_block_alone(setting: str) -> None:
    """Whatever the process had set, it is exact and repeatable inside and as before outside."""
    SETTINGS[setting]()
    device, cudnn = torch.device("cuda", 0), torch.backends.cudnn
    before = cudnn.deterministic, cudnn.conv.fp32_precision, precision(device)
    matmul = torch.backends.cuda.matmul.fp32_precision
    with pytest.raises(ZeroDivisionError), exact_figures(device):
        assert precision(device) == "ieee"
        assert cudnn.conv.fp32_precision == torch.backends.cuda.matmul.fp32_precision == "ieee"
        assert cudnn.deterministic
        raise ZeroDivisionError
    assert (cudnn.deterministic, cudnn.conv.fp32_precision, precision(device)) == before
    assert torch.backends.cuda.matmul.fp32_precision == matmul
    assert before[2] == "tf32"


@pytest.mark.usefixtures("restored")
def test_other_devices_need_no_setting() -> None:
    """On a CPU the settings of CUDA are left alone and every figure is exact."""
    with exact_figures(torch.device("cpu")):
        assert torch.backends.cudnn.conv.fp32_precision == "tf32"
        assert precision(torch.device("cpu")) == "ieee"


NO_MEMORY = [
    "CUDA out of memory. Tried to allocate 2.00 GiB",
    "MPS backend out of memory (MPS allocated: 5.00 GB)",
    "DefaultCPUAllocator: can't allocate memory: you tried to allocate 2 bytes",
    "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
    "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
    "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
]
NO_ENGINE = [
    "GET was unable to find an engine to execute this computation",
    "FIND was unable to find an engine to execute this computation after trying 3 plans.",
]


@pytest.mark.parametrize("words", [*NO_MEMORY, *NO_ENGINE])
def test_what_libraries_say_of_full_memory_is_understood(words: str) -> None:
    """Each is one error with torch's first line in it, and a missing engine a kind of its own."""
    error = RuntimeError(f"{words}\nException raised from ...{100 * ' a long story'}")
    assert is_out_of_memory(error)
    with pytest.raises(OutOfMemory, match=r"batches of 7") as caught, working_memory(CUDA, 7):
        raise error
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300
    assert isinstance(caught.value, NoEngine) == (words in NO_ENGINE)


@pytest.mark.parametrize(
    "error", [RuntimeError("shapes differ"), ValueError("out of memory"), KeyError("alloc_failed")]
)
def test_other_errors_are_not_about_memory(error: Exception) -> None:
    """An error of another kind or with other words passes as it is."""
    assert not is_out_of_memory(error)
    with pytest.raises(type(error)), working_memory(CUDA, 7):
        raise error

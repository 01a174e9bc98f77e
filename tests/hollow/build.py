"""Build the hollow device, a CUDA runtime that needs no card, for the torch that is installed."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

from trainer.errors import NoKernels
from trainer.native.toolchain import find_compiler
from trainer.user_cache import cache_folder, own_folder

__all__ = ["BuildFailed", "NotHere", "build"]

_SOURCES = Path(__file__).parent / "device"
_HEADER = "cuda_runtime_api.h"
_CUDA_MAJOR = 13
_FLAGS = (
    "-O1",
    "-std=c++17",
    "-shared",
    "-fPIC",
    "-fvisibility=hidden",
    "-Wall",
    "-Wextra",
    "-Werror",
    # A stand-in reads few of its arguments.
    "-Wno-unused-parameter",
    # A loader that looks for the driver finds it loaded.
    "-Wl,-soname,libcuda.so.1",
)


class NotHere(Exception):
    """The hollow device cannot be had on this machine; the message says why."""


class BuildFailed(Exception):
    """The compiler refuses the sources of the device; the message is the compiler's."""


def build() -> Path:
    """Return the library to preload; build it unless an earlier build is kept.

    Raises:
        NotHere: if the system is not Linux, there is no compiler, torch was built without CUDA or
            for another major version of it, or there are no headers of that version.
        BuildFailed: if the compiler refuses the sources.
    """
    if sys.platform != "linux":
        raise NotHere(f"the hollow device preloads a library as Linux does, not {sys.platform}")
    if torch.version.cuda is None:
        raise NotHere(f"torch {torch.__version__} was built without CUDA")
    if int(torch.version.cuda.partition(".")[0]) != _CUDA_MAJOR:
        raise NotHere(
            f"torch {torch.__version__} was built for CUDA {torch.version.cuda}; the hollow device "
            f"stands in for CUDA {_CUDA_MAJOR}"
        )
    try:
        compiler = find_compiler()
        folder = own_folder(cache_folder()) / "hollow"
        folder.mkdir(exist_ok=True)
    except (NoKernels, OSError) as error:
        raise NotHere(str(error)) from None
    headers = _headers()
    command = [*compiler, *_FLAGS, f"-I{headers}", "-idirafter", str(_SOURCES / "fallback")]
    target = folder / f"device-{_fingerprint(command, headers)}.so"
    if not target.exists():
        _compile(command, target)
    return target


def _headers() -> Path:
    """Return the folder of ``cuda_runtime_api.h``, of torch's version of CUDA."""
    found = [place for place in _places() if (place / _HEADER).is_file()]
    for place in found:
        version = re.search(r"#define\s+CUDART_VERSION\s+(\d+)", (place / _HEADER).read_text())
        if version and int(version[1]) // 1000 == _CUDA_MAJOR:
            return place
    others = f"; other versions are in {', '.join(map(str, found))}" if found else ""
    raise NotHere(
        f"there are no headers of CUDA {_CUDA_MAJOR}{others}; set CUDA_HOME, or install the wheel "
        "nvidia-cuda-runtime"
    )


def _places() -> Iterator[Path]:
    if home := os.environ.get("CUDA_HOME"):
        yield Path(home) / "include"
    for packages in dict.fromkeys(sys.path):
        yield from sorted((Path(packages) / "nvidia").glob("*/include"))
    yield Path("/usr/local/cuda/include")


def _fingerprint(command: list[str], headers: Path) -> str:
    digest = hashlib.blake2b(" ".join(command).encode(), digest_size=12)
    for path in (headers / _HEADER, *sorted(_SOURCES.rglob("*"))):
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _compile(command: list[str], target: Path) -> None:
    # Another process that builds the same replaces one whole file by another.
    partial = target.with_suffix(f".{os.getpid()}")
    sources = sorted(str(path) for path in _SOURCES.glob("*.cpp"))
    done = subprocess.run(
        [*command, *sources, "-o", str(partial)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        partial.unlink(missing_ok=True)
        raise BuildFailed(f"the hollow device does not compile:\n{done.stderr}")
    partial.replace(target)

"""The C++ program that uses the kernels without Python: its source, and how it is built."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

from trainer.native.library import SOURCE
from trainer.native.toolchain import find_compiler

__all__ = ["DRIVER", "build_driver"]

DRIVER = Path(__file__).with_name("driver.cpp")

# Vectors as wide as in training; little optimisation, because that is quick to build.
_FLAGS = (
    "-O1",
    "-std=c++17",
    "-ffp-contract=fast",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-pthread",
    "-mcpu=native" if platform.machine() in ("arm64", "aarch64") else "-march=native",
)


def build_driver(program: Path, *flags: str) -> None:
    """Build the driver together with the kernels.

    Args:
        program: where it goes.
        flags: further ones for the compiler.

    Raises:
        NoKernels: if there is no compiler.
        subprocess.CalledProcessError: if it fails; its standard error says why.
    """
    sources = [str(DRIVER), str(SOURCE)]
    include = ["-I", str(SOURCE.parent)]
    command = [*find_compiler(), *_FLAGS, *flags, *include, *sources, "-o", str(program)]
    subprocess.run(command, check=True, capture_output=True, text=True)

"""Compile exported C on this machine and run it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

__all__ = ["COMPILERS", "compiled", "logits_of", "needs_compiler"]

COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
"""Those of this machine."""

needs_compiler = pytest.mark.skipif(not COMPILERS, reason="there is neither gcc nor clang here")

_FLAGS = "-std=c99 -O1 -Wall -Wextra -Werror -pedantic"
_SANITIZERS = "-fsanitize=address,undefined -fno-sanitize-recover=all"


def compiled(folder: Path, compiler: str, *more: str) -> Path:
    """Compile the example of an export, checked for every error that it can make.

    Args:
        folder: of the export.
        compiler: one of :data:`COMPILERS`.
        *more: options.
    """
    program = folder / "program"
    sources = sorted(path.name for path in folder.glob("*.c"))
    options = [*_FLAGS.split(), *_SANITIZERS.split(), *more]
    command = [compiler, *options, *sources, "-lm", "-o", "program"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return program


def logits_of(program: Path, images: np.ndarray) -> np.ndarray:
    """Run a compiled example on images (n, height, width, channels); return logits (n, classes)."""
    given = np.ascontiguousarray(images).tobytes()
    done = subprocess.run([program], input=given, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    rows = np.array([line.split() for line in done.stdout.decode().splitlines()], dtype=float)
    assert (rows[:, 0] == rows[:, 1:].argmax(1)).all()
    return rows[:, 1:]

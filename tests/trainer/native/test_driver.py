from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.trainer.native.drivers import build_driver


def test_the_kernels_hold_without_python(tmp_path: Path) -> None:
    """Trained through C, figures must not depend on threads, and every mistake be refused."""
    program = tmp_path / "driver"
    try:
        build_driver(program, "-O0", "-Wall", "-Wextra", "-Werror")
    except subprocess.CalledProcessError as error:
        pytest.fail(error.stderr)
    done = subprocess.run([program], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")

"""Fresh processes that find this checkout, and whatever a test puts before it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def python(*arguments: str, paths: Sequence[Path] = (ROOT,)) -> subprocess.CompletedProcess[str]:
    """Run Python to its end; what lies in ``paths`` is found before what is installed."""
    return subprocess.run(
        [sys.executable, "-P", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))},
        capture_output=True,
        text=True,
        timeout=300,
    )


def modules_after(code: str) -> set[str]:
    """Return the top-level modules that a fresh process has imported after running ``code``."""
    show = "import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = python("-c", f"{code}\n{show}")
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())

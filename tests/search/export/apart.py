"""Run what a user of an export runs, where flyweight cannot be imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from search.export.fresh_process import BLOCKED

__all__ = ["run_without_flyweight"]


def run_without_flyweight(script: str, folder: Path) -> str:
    """Run a script in a fresh Python whose import of any package of flyweight is an error.

    Args:
        script: its text.
        folder: in which it runs; it is not on the path.

    Returns:
        What it printed.
    """
    blocked = "".join(f"sys.modules[{name!r}] = None\n" for name in BLOCKED)
    command = [sys.executable, "-I", "-W", "error", "-c", f"import sys\n{blocked}{script}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout

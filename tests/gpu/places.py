"""Where things lie that are carried to a machine with a card, and the commit of the code."""

from __future__ import annotations

import subprocess
from pathlib import Path

__all__ = ["COMMIT", "DATA", "PACK", "RESULTS", "ROOT", "SITE", "WHEELS", "code_commit"]

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "tests" / "benchmarks" / "results" / "gpu"

PACK = ROOT / ".gpu"
"""What ``make gpu-pack`` makes; ignored by git, so it is carried beside the checkout."""

WHEELS, DATA, SITE, COMMIT = PACK / "wheels", PACK / "data", PACK / "site", PACK / "commit"

# A commit of results changes nothing that is measured.
_CODE = (".", ":(exclude)tests/benchmarks/results")


def code_commit() -> str:
    """Return the last commit that changed more than results, or what the pack says it was.

    Returns:
        The short hash, with ``-dirty`` where files differ from it; ``unknown`` where there is
        neither git nor a pack.
    """
    try:
        commit = _git("log", "-1", "--format=%h", "--", *_CODE)
        changes = _git("status", "--porcelain", "--", *_CODE)
    except (OSError, subprocess.CalledProcessError):
        return COMMIT.read_text(encoding="utf-8").strip() if COMMIT.exists() else "unknown"
    return commit + ("-dirty" if changes else "")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()

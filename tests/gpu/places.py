"""Where things lie that are carried to a machine with a card, and the commit of the code."""

from __future__ import annotations

import subprocess
from pathlib import Path

__all__ = [
    "CARRIED_COMMIT",
    "CARRIED_MNIST",
    "DATA",
    "PACK",
    "RESULTS",
    "ROOT",
    "SITE",
    "TRIED",
    "WHEELS",
    "code_commit",
]

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "tests" / "benchmarks" / "results" / "gpu"

_GPU = ROOT / ".gpu"
"""Ignored by git."""

PACK = _GPU / "pack"
"""What ``make gpu-pack`` makes, and what is carried with the checkout."""

WHEELS, CARRIED_MNIST, CARRIED_COMMIT = PACK / "wheels", PACK / "mnist", PACK / "commit"

SITE, DATA = _GPU / "site", _GPU / "data"
"""Where the packages and the data sets of a pack are once it is unpacked."""

TRIED = _GPU / "tried"
"""Results that are worth nothing but the proof that the commands work."""

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
        carried = (
            CARRIED_COMMIT.read_text(encoding="utf-8") if CARRIED_COMMIT.exists() else "unknown"
        )
        return carried.strip()
    return commit + ("-dirty" if changes else "")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()

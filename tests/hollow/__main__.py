"""Run the tests that need a CUDA device and no card: ``python -m tests.hollow [pytest's options]``.

They run on a hollow device: a CUDA runtime that is preloaded into the process and into all that it
starts. Where it cannot be built, one line says why, and nothing fails.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.hollow.build import BuildFailed, NotHere, build


def main(arguments: list[str]) -> int:
    """Build the device and run pytest on it.

    Returns:
        Pytest's exit code; 0 where the device cannot be had here, 1 where its sources are wrong.
    """
    try:
        library = build()
    except NotHere as reason:
        print(f"the hollow tests are skipped: {reason}")
        return 0
    except BuildFailed as error:
        print(error, file=sys.stderr)
        return 1
    preloaded = [str(library), *os.environ.get("LD_PRELOAD", "").split()]
    environment = {
        **os.environ,
        "LD_PRELOAD": " ".join(preloaded),
        "HOLLOW_DEVICES": "2",
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "pytest", "-m", "hollow", *arguments]
    if not any(Path(each.partition("::")[0]).exists() for each in arguments):
        command.append(str(Path(__file__).parent))
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

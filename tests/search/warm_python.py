"""Fresh processes that check a package, forked from one that has imported torch.

An export loads what it wrote in a new Python, which imports torch for two seconds. Where that is
not what a test is about, the program runs in a fork of a Python that has imported torch, and never
anything of flyweight.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from search.export import checks

_SERVER = """
import json, os, runpy, sys, traceback
import safetensors.torch, torch
for line in sys.stdin:
    sys.argv, errors = json.loads(line)
    if (child := os.fork()) == 0:
        os.dup2(os.open(errors, os.O_WRONLY), 2)
        try:
            runpy.run_path(sys.argv[0], run_name="__main__")
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class WarmPython:
    """What ``search.export.checks`` uses of ``subprocess``; it starts when it is first used."""

    def __init__(self) -> None:
        self._server: subprocess.Popen[str] | None = None

    def run(
        self, command: Sequence[str], *, capture_output: bool, check: bool
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a program in a fork.

        Args:
            command: Python, its options ``-P -B``, a program and its arguments.
            capture_output: true.
            check: false.
        """
        python, *options = command[:3]
        assert (python, options) == (sys.executable, ["-P", "-B"])
        assert (capture_output, check) == (True, False)
        if self._server is None:
            pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            start = [python, *options, "-c", _SERVER]
            environment = {**os.environ, "OMP_NUM_THREADS": "1"}
            self._server = subprocess.Popen(start, text=True, env=environment, **pipes)
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        with tempfile.NamedTemporaryFile() as errors:
            print(json.dumps([command[3:], errors.name]), file=self._server.stdin)
            self._server.stdin.flush()
            code = int(self._server.stdout.readline())
            return subprocess.CompletedProcess([], code, b"", errors.read())

    def close(self) -> None:
        """End the process."""
        if self._server is not None:
            self._server.communicate()


@contextmanager
def warm() -> Iterator[None]:
    """Let exports of this process check packages in forks during the block, where a system can."""
    if not hasattr(os, "fork"):
        yield
        return
    python = WarmPython()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checks, "subprocess", SimpleNamespace(run=python.run))
        yield
    python.close()

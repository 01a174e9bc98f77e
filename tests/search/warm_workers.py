"""Workers that are forked from a process which has imported all that they need.

A worker of :class:`search.workers.pool.WorkerPool` is a new Python, which imports torch and
scikit-learn: five seconds of a core before it trains for one. Where the start of a worker is not
what a test is about, its process is forked from one that has imported these already. It is a
process with its own number, session, signals, input and output, and runs the same worker.
"""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.reduction import DupFd
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import pytest

from search.workers import pool

IMPORTED = ["search.worker", "sklearn.datasets", "sklearn.model_selection", "torch._dynamo"]

_METHOD = "forkserver"


class ForkedWorker:
    """What :class:`WorkerPool` uses of ``subprocess.Popen``, for a process that is forked.

    Args:
        command: Python, its options, and ``-m`` with a module and its arguments.
        stdin: ``subprocess.PIPE``.
        stdout: ``subprocess.DEVNULL``.
        stderr: a file.
        env: the environment.
        start_new_session: true.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        stdin: int,
        stdout: int,
        stderr: IO[bytes],
        env: Mapping[str, str],
        start_new_session: bool,
    ) -> None:
        assert (stdin, stdout, start_new_session) == (subprocess.PIPE, subprocess.DEVNULL, True)
        reading, writing = os.pipe()
        arguments = list(command[command.index("-m") + 1 :])
        given = arguments, dict(env), _Fd(reading), _Fd(stderr.fileno())
        self._process = get_context(_METHOD).Process(target=_work, args=given)
        self._process.start()
        os.close(reading)
        self.stdin = os.fdopen(writing, "wb")

    @property
    def pid(self) -> int | None:
        """The process's number."""
        return self._process.pid

    def poll(self) -> int | None:
        """The exit code, None while the process runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the exit code."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("worker", timeout or 0.0)
        return self._process.exitcode

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()


class _Fd:
    """A file descriptor that goes to the process."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return _detached, (DupFd(self._number),)


def _detached(sent: Any) -> int:
    number: int = sent.detach()
    return number


def _work(arguments: list[str], env: dict[str, str], stdin: int, stderr: int) -> None:
    os.setsid()
    nothing = os.open(os.devnull, os.O_WRONLY)
    for given, number in ((stdin, 0), (nothing, 1), (stderr, 2)):
        os.dup2(given, number)
        os.close(given)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
    os.environ.clear()
    os.environ.update(env)
    module, *sys.argv[1:] = arguments
    sys.modules.pop(module, None)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


@contextmanager
def forked() -> Iterator[None]:
    """Let the pools of this process fork their workers during the block, where a system can."""
    if _METHOD not in get_all_start_methods():
        yield
        return
    get_context(_METHOD).set_forkserver_preload(IMPORTED)
    with pytest.MonkeyPatch.context() as patch:
        # The server finds our packages by it.
        patch.setenv("PYTHONPATH", os.pathsep.join(place or str(Path.cwd()) for place in sys.path))
        from multiprocessing.forkserver import ensure_running  # not on Windows

        ensure_running()
    with pytest.MonkeyPatch.context() as patch:
        popen = SimpleNamespace(**{**vars(subprocess), "Popen": ForkedWorker})
        patch.setattr(pool, "subprocess", popen)
        yield

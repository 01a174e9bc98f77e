"""A pool of worker processes on this machine: started, watched, replaced, stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from search.errors import InputError, WorkFailed
from search.workers.worker_count import cores

__all__ = ["WorkerPool"]

_MOST_REPLACED = 3
_SECONDS_TO_STOP = 30.0
_INTERRUPTED = 130


@dataclass
class _Member:
    index: int
    process: subprocess.Popen[bytes]
    messages: IO[bytes]

    def message(self) -> str:
        self.messages.seek(0)
        text = self.messages.read().decode(errors="replace").strip()
        return text.splitlines()[-1] if text else "without a message"

    def everything(self) -> str:
        self.messages.seek(0)
        return self.messages.read().decode(errors="replace").strip()


class WorkerPool:
    """Worker processes that end when this process closes their input or dies.

    A worker that was killed, or asked to stop by another process, is replaced, a few times; one
    that ends with an error stops the pool.

    Args:
        command: name and arguments of a worker's module, without its index.
        workers: how many.
        recover: called after a worker was killed and before it is replaced.
        debug: whether the workers show tracebacks.
    """

    def __init__(
        self,
        command: Sequence[str],
        workers: int,
        recover: Callable[[], object],
        *,
        debug: bool = False,
    ) -> None:
        self._command = [*command, "--workers", str(workers), "--follow-parent"]
        self._command += ["--debug"] if debug else []
        self._recover = recover
        self._debug = debug
        self._threads = max(1, cores() // workers)
        self._replaced = 0
        self._members: list[_Member] = []
        self._workers = workers

    def __enter__(self) -> WorkerPool:
        for index in range(self._workers):
            self._members.append(self._start(index))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def is_working(self) -> bool:
        """Replace or report workers that have ended; return whether any is still at work.

        Raises:
            FlyweightError: if a worker failed, with its message.
            WorkFailed: if workers are killed again and again.
        """
        for member in list(self._members):
            code = member.process.poll()
            if code is None:
                continue
            self._members.remove(member)
            if code < 0 or code == _INTERRUPTED:
                # This process has not asked it to stop.
                self._replace(member, -code if code < 0 else signal.SIGTERM)
            elif code != 0:
                kind = InputError if code == InputError.exit_code else WorkFailed
                raise kind(self._explain(member))
            member.messages.close()
        return bool(self._members)

    def stop(self) -> None:
        """Ask all workers to stop and wait for them; kill those that do not."""
        for member in self._members:
            if member.process.stdin is not None:
                member.process.stdin.close()
        deadline = time.monotonic() + _SECONDS_TO_STOP
        for member in self._members:
            try:
                member.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                member.process.kill()
                member.process.wait()
            member.messages.close()
        self._members = []

    def _start(self, index: int) -> _Member:
        messages = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        process = subprocess.Popen(
            # -P: a worker imports what this process did, whatever lies in the working directory.
            [sys.executable, "-P", "-m", *self._command, "--index", str(index)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=messages,
            env=_environment(self._threads),
            # Ctrl-C reaches the parent alone, which then stops the workers in its own way.
            start_new_session=True,
        )
        return _Member(index, process, messages)

    def _replace(self, member: _Member, signal_number: int) -> None:
        self._recover()
        if self._replaced == _MOST_REPLACED:
            raise WorkFailed(
                f"worker {member.index} was killed by signal {signal_number} "
                f"after {_MOST_REPLACED} others; if memory ran out, use fewer --workers; run the "
                "same command to resume"
            )
        self._replaced += 1
        self._members.append(self._start(member.index))

    def _explain(self, member: _Member) -> str:
        if self._debug:
            print(member.everything(), file=sys.stderr)
        return member.message()


def _environment(threads: int) -> dict[str, str]:
    places = [place or str(Path.cwd()) for place in sys.path]
    return {
        **os.environ,
        "OMP_NUM_THREADS": str(threads),
        "PYTHONPATH": os.pathsep.join(places),
    }

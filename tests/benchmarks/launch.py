"""Runs jobs in fresh processes that start together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO

from tests.benchmarks.mnist import DATA_VARIABLE
from tests.benchmarks.task import Job, Measurement

__all__ = ["WorkerFailed", "run_together"]

_ROOT = Path(__file__).resolve().parents[2]


class WorkerFailed(Exception):
    """A measured process ended without figures; what it said is on standard error."""


def run_together(jobs: Sequence[Job], data: Path) -> list[Measurement]:
    """Does all jobs at once and returns their figures in the same order.

    Each process trains in its own time, but none begins before all have read the data.

    Args:
        jobs: one process each.
        data: root of the data sets.

    Raises:
        WorkerFailed: if a process ends without figures; the others are ended then.
    """
    with ExitStack() as stack:
        processes = [stack.enter_context(_process(job, data)) for job in jobs]
        for process, job in zip(processes, jobs, strict=True):
            if _pipe(process.stdout).readline() != "ready\n":
                raise WorkerFailed(f"{job} did not get ready")
        for process in processes:
            stdin = _pipe(process.stdin)
            stdin.write("go\n")
            stdin.flush()
        return [_figures(*each) for each in zip(processes, jobs, strict=True)]


@contextmanager
def _process(job: Job, data: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.worker", json.dumps(asdict(job))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
        env={**os.environ, DATA_VARIABLE: str(data), "OMP_NUM_THREADS": str(job.threads)},
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def _figures(process: subprocess.Popen[str], job: Job) -> Measurement:
    text = _pipe(process.stdout).read()
    if process.wait() or not text:
        raise WorkerFailed(f"{job} ended with exit code {process.returncode}")
    return Measurement.from_json(json.loads(text))


def _pipe(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise TypeError("the process was started without a pipe")
    return stream

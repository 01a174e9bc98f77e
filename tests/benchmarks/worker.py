"""One training run in a process of its own: ``python -m tests.benchmarks.worker JOB``.

JOB is a :class:`tests.benchmarks.task.Job` as JSON. The process reads the data, prints ``ready``,
waits for a line on its standard input, trains, and prints the figures as JSON. It ends early when
its standard input closes, for then its parent is gone.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from dataclasses import asdict

import torch

from tests.benchmarks import ours, seed_style
from tests.benchmarks.mnist import require_mnist
from tests.benchmarks.task import Job


def main(text: str) -> None:
    """Does the job that ``text`` describes."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    job = Job(**json.loads(text))
    torch.set_num_threads(job.threads)
    measure = seed_style.measure if job.side == "seed" else ours.measure
    print(json.dumps(asdict(measure(job, require_mnist(), _start_line))), flush=True)


def _start_line() -> None:
    print("ready", flush=True)
    if not sys.stdin.readline():
        raise SystemExit("the start was called off")
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # Not through sys.stdin: its lock would be held in the loader's forked workers.
    if not os.read(0, 1):
        os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1])

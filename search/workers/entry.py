"""The frame of a worker process: options, signals, errors, exit code."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from search.errors import exit_code_of, message_of
from search.storage.database import quiet_optuna
from search.workers.context import WorkerContext
from search.workers.data import data_root
from search.workers.stop import StopSignal

__all__ = ["add_worker_options", "context_of", "run_worker"]


def add_worker_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that do not depend on the kind of work."""
    parser.add_argument("--storage", required=True, help="URL of the study database")
    parser.add_argument("--index", type=int, default=0, help="number of this worker, from 0")
    parser.add_argument("--workers", type=int, default=1, help="workers on this machine")
    parser.add_argument("--data", type=Path, help="root of the data sets")
    parser.add_argument("--device", help="cpu, cuda, cuda:N or mps")
    parser.add_argument("--follow-parent", action="store_true", help="stop when stdin ends")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")


def context_of(options: argparse.Namespace) -> WorkerContext:
    """Return the context of the worker with these options."""
    return WorkerContext(options.index, options.workers, options.device, data_root(options.data))


def run_worker(work: Callable[[StopSignal], None], options: argparse.Namespace) -> int:
    """Do a worker's work and return its exit code; print an error as one line on standard error."""
    stop = StopSignal()
    stop.listen()
    if options.follow_parent:
        stop.follow_parent()
    quiet_optuna()
    try:
        work(stop)
    except Exception as error:
        if options.debug:
            traceback.print_exc()
        print(message_of(error), file=sys.stderr)
        return exit_code_of(error)
    return 130 if stop else 0

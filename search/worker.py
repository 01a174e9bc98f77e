"""A worker process: takes pieces of a study's work until none is left.

``python -m search.worker --storage URL --study NAME`` joins a study's search from anywhere that
reaches its storage; ``flyweight run`` and ``flyweight confirm`` start such processes themselves.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from search.confirm_work import FINAL, SELECTION, repeat
from search.errors import exit_code_of
from search.stop import StopSignal
from search.storage import quiet_optuna
from search.study import open_study
from search.trial_work import search
from search.workshop import WorkerPlace, data_root


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a worker process and returns its exit code."""
    options = _parse(arguments)
    stop = StopSignal()
    stop.listen()
    if options.follow_parent:
        stop.follow_parent()
    quiet_optuna()
    place = WorkerPlace(options.index, options.workers, options.device, data_root(options.data))
    try:
        stored = open_study(options.study, options.storage, writing=True)
        if options.work == "search":
            search(stored, place, options.trials or stored.file.settings.trials, stop)
        else:
            repeat(stored, place, options.ordinal, options.work, stop)
    except Exception as error:
        if options.debug:
            traceback.print_exc()
        print(f"{error}" if str(error) else type(error).__name__, file=sys.stderr)
        return exit_code_of(error)
    return 130 if stop else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m search.worker", description=__doc__)
    parser.add_argument("--storage", required=True, help="URL of the study database")
    parser.add_argument("--study", required=True, help="name of the study")
    parser.add_argument("--work", choices=["search", SELECTION, FINAL], default="search")
    parser.add_argument("--ordinal", type=int, default=1, help="number of the confirm")
    parser.add_argument("--trials", type=int, help="trained trials in total")
    parser.add_argument("--index", type=int, default=0, help="number of this worker, from 0")
    parser.add_argument("--workers", type=int, default=1, help="workers on this machine")
    parser.add_argument("--data", type=Path, help="root of the data sets")
    parser.add_argument("--device", help="cpu, cuda, cuda:N or mps")
    parser.add_argument("--follow-parent", action="store_true", help="stop when stdin ends")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

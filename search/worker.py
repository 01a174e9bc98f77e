"""A worker process: takes pieces of a study's work until none is left.

``python -m search.worker --storage URL --study NAME`` joins a study's search from anywhere that
reaches its storage; ``flyweight run`` and ``flyweight confirm`` start such processes themselves.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from search.confirm.retrain import FINAL, SELECTION, repeat
from search.run.trials import search
from search.study.study import open_study
from search.workers.entry import add_worker_options, context_of, run_worker
from search.workers.stop import StopSignal


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a worker process and returns its exit code."""
    options = _parse(arguments)

    def work(stop: StopSignal) -> None:
        place = context_of(options)
        stored = open_study(options.study, options.storage, writing=True)
        if options.work == "search":
            search(stored, place, options.trials or stored.file.settings.trials, stop)
        else:
            repeat(stored, place, options.ordinal, options.work, stop)

    return run_worker(work, options)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m search.worker", description=__doc__)
    parser.add_argument("--study", required=True, help="name of the study")
    parser.add_argument("--work", choices=["search", SELECTION, FINAL], default="search")
    parser.add_argument("--ordinal", type=int, default=1, help="number of the confirm")
    parser.add_argument("--trials", type=int, help="trained trials in total")
    add_worker_options(parser)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

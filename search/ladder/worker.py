"""A worker process that replays steps of ladders, as ``flyweight ladder`` starts them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from search.ladder.records import Replays
from search.ladder.replay import replay_rungs
from search.ladder.selection import LadderPlan, rungs_of
from search.storage.database import open_storage
from search.workers.entry import add_worker_options, context_of, run_worker
from search.workers.stop import StopSignal


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a worker process and returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m search.ladder.worker", description=__doc__)
    parser.add_argument("--ladder", type=Path, action="append", required=True, dest="ladders")
    parser.add_argument("--step", action="append", default=[], dest="steps")
    parser.add_argument("--parameters", type=int, help="the most of a step")
    parser.add_argument("--epochs", type=int, help="of every replay")
    parser.add_argument("--seeds", type=int, default=1, help="replays of each step")
    add_worker_options(parser)
    options = parser.parse_args(arguments)
    plan = LadderPlan(
        tuple(options.ladders),
        tuple(options.steps),
        options.parameters,
        options.epochs,
        options.seeds,
    )

    def replay(stop: StopSignal) -> None:
        place = context_of(options)
        replays = Replays(open_storage(options.storage).engine)
        replay_rungs(rungs_of(plan, place.data), plan.seeds, replays, place, stop)

    return run_worker(replay, options)


if __name__ == "__main__":
    sys.exit(main())

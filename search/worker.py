"""A worker process, which does pieces of work until none is left.

``python -m search.worker --storage URL --study NAME`` joins the search of a study, from any machine
that reaches its storage. With ``--work`` it takes part in a confirm of the study, with ``--ladder``
it replays steps of ladders, with ``--calibrate`` it trains candidates of a calibration, with
``--explain`` the steps of an explanation; ``flyweight run``, ``confirm``, ``ladder``,
``calibrate`` and ``explain`` start such processes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from search.calibrate.plan import make_plan
from search.calibrate.records import Calibrations
from search.calibrate.training import train_candidates
from search.confirm.retrain import retrain
from search.explain.plan import make_plan as make_explain_plan
from search.explain.training import train_steps
from search.ladder.records import Replays
from search.ladder.replay import replay_steps
from search.ladder.selection import ReplayPlan, choose_steps
from search.run.trials import search
from search.storage.artifacts import artifacts_beside
from search.storage.database import open_storage
from search.study.confirms import PARTS
from search.study.in_use import using
from search.study.study import open_study
from search.workers.entry import add_worker_options, context_of, run_worker
from search.workers.stop import StopSignal

_SEARCH = "search"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a worker process and return its exit code."""
    options = _parse(arguments)
    work = _work_on_study
    if options.ladders:
        work = _work_on_ladders
    elif options.calibrate:
        work = _work_on_calibration
    elif options.explain:
        work = _work_on_explanation
    return run_worker(lambda stop: work(options, stop), options)


def _work_on_study(options: argparse.Namespace, stop: StopSignal) -> None:
    context = context_of(options)
    stored = open_study(options.study, options.storage, writing=True)
    with using(stored):
        if options.work == _SEARCH:
            search(stored, context, options.trials or stored.file.settings.trials, stop)
        else:
            retrain(stored, context, options.ordinal, options.work, stop)


def _work_on_ladders(options: argparse.Namespace, stop: StopSignal) -> None:
    context = context_of(options)
    plan = ReplayPlan(
        tuple(options.ladders),
        tuple(options.steps),
        options.parameters,
        options.epochs,
        options.seeds,
    )
    replays = Replays(open_storage(options.storage).engine)
    artifacts = artifacts_beside(options.storage)
    replay_steps(choose_steps(plan, context.data), plan.seeds, replays, artifacts, context, stop)


def _work_on_calibration(options: argparse.Namespace, stop: StopSignal) -> None:
    context = context_of(options)
    plan = make_plan(
        options.calibrate, options.storage, context.data, options.candidates, options.seeds
    )
    kept = Calibrations(open_storage(options.storage, create=True).engine, plan.key)
    train_candidates(plan, kept, context, stop)


def _work_on_explanation(options: argparse.Namespace, stop: StopSignal) -> None:
    context = context_of(options)
    plan = make_explain_plan(
        options.explain, options.storage, context.data, options.seeds, options.trial
    )
    kept = Calibrations(open_storage(options.storage, create=True).engine, plan.key)
    train_steps(plan, kept, context, stop)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m search.worker",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    work = parser.add_mutually_exclusive_group(required=True)
    work.add_argument("--study", help="name of the study to work on")
    work.add_argument(
        "--ladder",
        type=Path,
        action="append",
        dest="ladders",
        metavar="FILE",
        help="ladder to replay instead of a study; may be repeated",
    )
    work.add_argument(
        "--calibrate", metavar="STUDY", help="study file, or name of a study, to calibrate"
    )
    work.add_argument(
        "--explain", metavar="WHAT", help="study, or the folder of an export, to explain"
    )
    add_worker_options(parser)
    study = parser.add_argument_group("with --study")
    study.add_argument(
        "--work", choices=[_SEARCH, *PARTS], default=_SEARCH, help="search, or a part of a confirm"
    )
    study.add_argument("--ordinal", type=int, default=1, help="number of the confirm")
    study.add_argument("--trials", type=int, help="trained trials in total")
    ladder = parser.add_argument_group("with --ladder")
    ladder.add_argument(
        "--step", action="append", default=[], dest="steps", help="name of a step; by default all"
    )
    ladder.add_argument("--parameters", type=int, help="leave out steps that have more")
    ladder.add_argument(
        "--epochs", type=int, help="epochs of every replay; by default each step's own"
    )
    calibration = parser.add_argument_group("with --calibrate")
    calibration.add_argument("--candidates", type=int, default=12, help="candidates to train")
    explanation = parser.add_argument_group("with --explain")
    explanation.add_argument("--trial", type=int, help="of the study; by default the champion")
    parser.add_argument(
        "--seeds",
        type=int,
        default=1,
        help="of each step of a ladder or an explanation, or more of the best of a calibration",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

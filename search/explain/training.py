"""A worker's share of the trainings of an explanation."""

from __future__ import annotations

from functools import partial

from search.calibrate.records import Calibrations
from search.calibrate.training import train_repeats
from search.explain.plan import ExplainPlan
from search.workers.context import WorkerContext
from search.workers.data import search_split
from search.workers.stop import StopSignal

__all__ = ["train_steps"]


def train_steps(
    plan: ExplainPlan, kept: Calibrations, context: WorkerContext, stop: StopSignal
) -> None:
    """Train until this worker and others have begun all trainings of a plan.

    Args:
        plan: what to train.
        kept: where the figures go.
        context: of this worker.
        stop: ends the work.
    """
    data = search_split(plan.dataset, context.open_device())
    for number in range(len(plan.steps)):
        train_repeats(kept, number, plan.seeds, partial(plan.candidate, number), data, stop)

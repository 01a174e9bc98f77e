"""A worker's share of the trainings of an explanation."""

from __future__ import annotations

from search.calibrate.records import Calibrations
from search.calibrate.training import train_candidate
from search.explain.plan import ExplainPlan
from search.workers.context import WorkerContext
from search.workers.data import search_split
from search.workers.stop import Stopped, StopSignal

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
    device = context.open_device()
    data = search_split(plan.dataset, device)
    for number in range(len(plan.steps)):
        claims = kept.claims(number)
        while not stop and (repeat := claims.take(plan.seeds)) is not None:
            try:
                candidate = plan.candidate(number, repeat)
                kept.save(train_candidate(candidate, number, repeat, data, device, stop))
                claims.finish(repeat)
            except Stopped:
                return
            finally:
                claims.release(repeat)

"""A worker's share of the trainings of a calibration."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

from search.calibrate.plan import CalibrationPlan
from search.calibrate.records import Calibrations, CandidateTraining
from search.spec.candidate import Candidate
from search.workers.context import WorkerContext
from search.workers.data import DataSplit, search_split
from search.workers.devices import hardware, versions
from search.workers.stop import Stopped, StopSignal
from search.workers.training import Training
from space.cost import cost
from trainer.backends.choose import Backend

__all__ = ["train_candidates", "train_repeats"]

_POLL_SECONDS = 0.2


def train_candidates(
    plan: CalibrationPlan, kept: Calibrations, context: WorkerContext, stop: StopSignal
) -> None:
    """Train until this worker or others have done all of a plan.

    Every candidate is trained once before the best are trained again, for which a worker may have
    to wait for another.

    Args:
        plan: what to train.
        kept: where the figures go.
        context: of this worker.
        stop: ends the work.
    """
    data = search_split(plan.dataset, context.open_device())
    while not stop and plan.left(kept.trainings()):
        worked = False
        for number, repeats in _open(plan, kept):
            candidate = partial(plan.candidate, number)
            worked |= train_repeats(kept, number, repeats, candidate, data, stop)
        if not worked:
            time.sleep(_POLL_SECONDS)


def _open(plan: CalibrationPlan, kept: Calibrations) -> Iterator[tuple[int, int]]:
    """Yield the candidates that can be trained now, each with how often in all."""
    repeated = plan.repeated(kept.trainings())
    if repeated:
        yield from ((number, 1 + plan.seeds) for number in repeated)
    else:
        yield from ((number, 1) for number in range(len(plan.candidates)))


def train_repeats(
    kept: Calibrations,
    number: int,
    repeats: int,
    candidate: Callable[[int], Candidate],
    data: DataSplit,
    stop: StopSignal,
) -> bool:
    """Train what no other worker has taken of the repeats of a candidate, to the end of each.

    Args:
        kept: where the figures go.
        number: of the candidate in its plan.
        repeats: how many there are.
        candidate: gives the candidate with the seed of a repeat, from 0.
        data: on the device that trains.
        stop: ends the work.

    Returns:
        Whether one was trained.
    """
    claims, worked = kept.claims(number), False
    while not stop and (repeat := claims.take(repeats)) is not None:
        try:
            kept.save(_train(candidate(repeat), number, repeat, data, stop))
            claims.finish(repeat)
            worked = True
        except Stopped:
            break
        finally:
            claims.release(repeat)
    return worked


def _train(
    candidate: Candidate, number: int, repeat: int, data: DataSplit, stop: StopSignal
) -> CandidateTraining:
    training = Training(candidate, data, stop)
    training.run()
    return CandidateTraining(
        candidate=number,
        repeat=repeat,
        architecture=str(candidate.architecture),
        parameters=cost(candidate.architecture).parameters,
        recipe=candidate.recipe.to_dict(),
        epochs=tuple(training.epochs),
        seconds=training.seconds,
        failure=training.reason,
        device=hardware(data.device),
        versions=versions(),
        path=training.epochs[0].backend if training.epochs else Backend.EAGER,
    )

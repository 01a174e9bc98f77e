"""A worker: takes pieces of a study's work until none is left.

``python -m search.worker --storage URL --study NAME`` joins a study from anywhere that reaches
its storage; ``flyweight run`` starts such processes itself.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import optuna
from optuna.trial import Trial, TrialState

from search.claims import Claims
from search.errors import WorkFailed, exit_code_of
from search.objective import Objective, Verdict
from search.processes import this_process
from search.records import Outcome
from search.recovery import requeue
from search.samplers import make_pruner, make_sampler
from search.seeds import sampler_seed
from search.stop import Stopped, StopSignal
from search.storage import quiet_optuna
from search.streak import MOST_REJECTED, rejected_in_a_row
from search.study import StoredStudy, open_study
from search.workshop import WorkerPlace, data_root, reopen_data, search_parts, search_space_of

__all__ = ["TRIAL_WORK", "search", "trial_claims"]

TRIAL_WORK = "trial"


def trial_claims(stored: StoredStudy) -> Claims:
    """Returns the claims to a study's trained trials."""
    return Claims(stored.storage.engine, stored.id, TRIAL_WORK)


def search(stored: StoredStudy, place: WorkerPlace, trials: int, stop: StopSignal) -> None:
    """Trains trials until the study has ``trials`` trained ones or somebody else does the rest.

    Raises:
        WorkFailed: if nothing fits the budget for too long.
    """
    objective = make_objective(stored, place, stop)
    study = _with_sampler(stored, place)
    claims = trial_claims(stored)
    since = len(study.get_trials(deepcopy=False))
    while not stop and (slot := claims.take(trials)) is not None:
        try:
            if _fill(study, stored, objective, slot, since, stop):
                claims.finish(slot)
        finally:
            claims.release(slot)


def make_objective(stored: StoredStudy, place: WorkerPlace, stop: StopSignal) -> Objective:
    """Returns the objective of a study on this worker's device."""
    device = place.open_device()
    parts = search_parts(reopen_data(stored, place.data), device)
    return Objective(
        stored.file,
        search_space_of(stored),
        stored.file.recipe_space(),
        parts,
        stored.artifacts,
        stop,
    )


def _with_sampler(stored: StoredStudy, place: WorkerPlace) -> optuna.Study:
    settings = stored.file.settings
    count = len(stored.study.get_trials(deepcopy=False))
    return optuna.load_study(
        study_name=stored.name,
        storage=stored.storage,
        sampler=make_sampler(settings.sampler, sampler_seed(settings.seed, place.index, count)),
        pruner=make_pruner(settings.pruner, stored.file.recipe_space().epochs),
    )


def _fill(
    study: optuna.Study,
    stored: StoredStudy,
    objective: Objective,
    slot: int,
    since: int,
    stop: StopSignal,
) -> bool:
    """Asks for trials until one was trained; returns whether one was."""
    while not stop:
        trial = study.ask()
        outcome = _run_trial(study, stored, objective, trial, slot)
        if outcome.trained:
            return True
        if outcome is Outcome.REJECTED:
            streak = rejected_in_a_row(study.get_trials(deepcopy=False), since)
            if streak.length >= MOST_REJECTED:
                raise WorkFailed(streak.explain(stored.file.budget))
    return False


def _run_trial(
    study: optuna.Study, stored: StoredStudy, objective: Objective, trial: Trial, slot: int
) -> Outcome:
    try:
        trial.set_user_attr("worker", this_process().to_dict())
        trial.set_user_attr("slot", slot)
        verdict = objective(trial)
    except BaseException as error:
        reason = "stopped" if isinstance(error, Stopped) else f"{type(error).__name__}: {error}"
        frozen = stored.storage.get_trial(trial._trial_id)
        requeue(study, stored.storage, frozen, reason)
        if isinstance(error, Stopped):
            return Outcome.INTERRUPTED
        raise
    _tell(study, trial, verdict)
    return verdict.outcome


def _tell(study: optuna.Study, trial: Trial, verdict: Verdict) -> None:
    trial.set_user_attr("outcome", verdict.outcome)
    if verdict.reason:
        trial.set_user_attr("reason", verdict.reason)
    if verdict.outcome is Outcome.COMPLETE:
        study.tell(trial, verdict.score)
    else:
        study.tell(trial, state=TrialState.PRUNED)


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
        search(stored, place, options.trials or stored.file.settings.trials, stop)
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

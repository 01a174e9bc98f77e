"""A worker's share of a study's trials."""

from __future__ import annotations

import optuna
from optuna.trial import Trial, TrialState

from search.errors import WorkFailed
from search.run.objective import Objective, TrialResult
from search.run.rejections import REJECTION_LIMIT, rejections_in_a_row
from search.storage.optuna_private import id_of_trial
from search.storage.processes import this_process
from search.strategies.by_limit import WithinLimit
from search.strategies.problem import Problem
from search.strategies.pruners import make_pruner
from search.strategies.samplers import make_sampler
from search.study.problem import most_trials, problem_of
from search.study.records import Outcome
from search.study.recovery import requeue
from search.study.seeds import sampler_seed
from search.study.study import StoredStudy, trial_claims
from search.workers.context import WorkerContext
from search.workers.data import Folds, reopen_data
from search.workers.stop import Stopped, StopSignal

__all__ = ["make_objective", "search"]


def search(stored: StoredStudy, context: WorkerContext, trials: int, stop: StopSignal) -> None:
    """Train trials until the study has ``trials`` trained ones, or other workers train the rest.

    A space that is counted ends earlier, when each of its candidates has had its trainings.

    Raises:
        WorkFailed: if nothing fits the budget for too long.
    """
    objective = make_objective(stored, context, stop)
    problem = problem_of(stored, trials, objective.folds)
    study = _with_sampler(stored, context, problem)
    claims = trial_claims(stored)
    since = len(study.get_trials(deepcopy=False))
    while not stop and (slot := claims.take(most_trials(problem, study))) is not None:
        trained = False
        try:
            trained = _fill(study, stored, objective, slot, since, stop)
        finally:
            if not trained:
                claims.release(slot)
        claims.finish(slot)


def make_objective(stored: StoredStudy, context: WorkerContext, stop: StopSignal) -> Objective:
    """Return the objective of a study on this worker's device."""
    stored.make_artifacts()
    device = context.open_device()
    return Objective(stored, Folds(reopen_data(stored, context.data), device), stop)


def _with_sampler(stored: StoredStudy, context: WorkerContext, problem: Problem) -> optuna.Study:
    settings = stored.file.settings
    count = len(stored.study.get_trials(deepcopy=False))
    seed = sampler_seed(settings.seed, context.index, count)
    pruner = make_pruner(settings.pruner, stored.file.recipe_space().epochs)
    return optuna.load_study(
        study_name=stored.name,
        storage=stored.storage,
        sampler=make_sampler(settings.sampler, seed, problem),
        pruner=WithinLimit(pruner, stored.storage) if problem.limits else pruner,
    )


def _fill(
    study: optuna.Study,
    stored: StoredStudy,
    objective: Objective,
    slot: int,
    since: int,
    stop: StopSignal,
) -> bool:
    """Ask for trials until one was trained; return whether one was."""
    while not stop:
        trial = study.ask()
        outcome = _run_trial(study, stored, objective, trial, slot)
        if outcome.trained:
            return True
        if outcome is Outcome.REJECTED:
            rejections = rejections_in_a_row(study.get_trials(deepcopy=False), since)
            if rejections.count >= REJECTION_LIMIT:
                raise WorkFailed(rejections.explain(stored.file.budget))
    return False


def _run_trial(
    study: optuna.Study, stored: StoredStudy, objective: Objective, trial: Trial, slot: int
) -> Outcome:
    try:
        with stored.storage.write_batch(id_of_trial(trial)):
            trial.set_user_attr("worker", this_process().to_dict())
            trial.set_user_attr("slot", slot)
        result = objective(trial)
    except BaseException as error:
        reason = "stopped" if isinstance(error, Stopped) else f"{type(error).__name__}: {error}"
        frozen = stored.storage.get_trial(id_of_trial(trial))
        requeue(study, stored.storage, frozen, reason)
        if isinstance(error, Stopped):
            return Outcome.INTERRUPTED
        raise
    _tell(study, stored, trial, result)
    return result.outcome


def _tell(study: optuna.Study, stored: StoredStudy, trial: Trial, result: TrialResult) -> None:
    with stored.storage.write_batch(id_of_trial(trial)):
        trial.set_user_attr("outcome", result.outcome)
        if result.reason:
            trial.set_user_attr("reason", result.reason)
    if result.outcome is Outcome.COMPLETE:
        study.tell(trial, result.score)
    else:
        study.tell(trial, state=TrialState.PRUNED)

"""Recovery after dead workers: end their trials, queue them again, free their slots."""

from __future__ import annotations

from datetime import datetime, timedelta

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from search.storage.claims import Claims
from search.storage.optuna_private import id_of_trial
from search.storage.processes import ProcessId
from search.study.records import Outcome, records_of
from search.study.start_from import START_ATTRIBUTE

__all__ = ["recover", "requeue"]

_ANONYMOUS_GRACE = timedelta(seconds=60)


def recover(study: optuna.Study, storage: BaseStorage, claims: Claims) -> int:
    """End the trials of dead workers, queue them again and free their slots.

    Workers on other machines are left alone, because this machine cannot know whether they live.

    Returns:
        How many trials were queued again.
    """
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    signed = {trial.number: _signature(trial) for trial in running}
    # Only after that: a process that asked for one of these trials has held a slot since before.
    living = {holder for holder in claims.unfinished().values() if not holder.is_known_dead()}
    one_may_sign = bool(living - set(signed.values()))
    requeued = 0
    for trial in running:
        signature = signed[trial.number]
        if signature is not None:
            abandoned = signature.is_known_dead()
        else:
            abandoned = not one_may_sign or _is_old(trial)
        if abandoned and requeue(study, storage, trial, "its worker died"):
            requeued += 1
    _free_slots(study, claims)
    return requeued


def requeue(study: optuna.Study, storage: BaseStorage, trial: FrozenTrial, reason: str) -> bool:
    """End a running trial as interrupted and queue its parameters again.

    Returns:
        False where another process has ended the trial already.
    """
    # Optuna offers no other way to end a trial that this process did not ask for.
    try:
        storage.set_trial_user_attr(id_of_trial(trial), "outcome", Outcome.INTERRUPTED)
        storage.set_trial_user_attr(id_of_trial(trial), "reason", reason)
        if not storage.set_trial_state_values(id_of_trial(trial), TrialState.FAIL):
            return False
    except UpdateFinishedTrialError:
        return False
    # A trial from the queue may have ended before it drew all of its fixed parameters.
    params = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
    if params:
        kept = {key: trial.user_attrs[key] for key in (START_ATTRIBUTE,) if key in trial.user_attrs}
        study.enqueue_trial(params, user_attrs={**kept, "continues": trial.number})
    return True


def _signature(trial: FrozenTrial) -> ProcessId | None:
    """Return the process that works on a trial, None where it has not signed the trial yet."""
    worker = trial.user_attrs.get("worker")
    return None if worker is None else ProcessId.from_dict(worker)


def _is_old(trial: FrozenTrial) -> bool:
    started = trial.datetime_start
    return started is not None and datetime.now() - started > _ANONYMOUS_GRACE


def _free_slots(study: optuna.Study, claims: Claims) -> None:
    dead = claims.of_dead()
    if not dead:
        return
    records = records_of(study.get_trials(deepcopy=False))
    trained = {record.attributes.get("slot") for record in records if record.trained}
    for slot, holder in dead.items():
        if slot in trained:
            # The worker died after it ended the trial and before it marked the slot as done.
            claims.finish(slot)
        else:
            claims.release(slot, holder)

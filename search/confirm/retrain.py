"""A worker's share of the retrainings of a confirm."""

from __future__ import annotations

import dataclasses
import time

from torch import nn

from search.deployed.accuracy import int8_accuracy
from search.deployed.tuning import TUNING_EPOCHS, tune
from search.spec.candidate import Candidate
from search.storage.claims import Claims
from search.storage.weights import KeptWeights, keep_weights
from search.study.confirms import (
    FINAL,
    SELECTION,
    Confirm,
    Repeat,
    Tuning,
    load_confirm,
    save_repeat,
)
from search.study.records import TrialRecord
from search.study.seeds import confirm_seed
from search.study.study import StoredStudy
from search.workers.context import WorkerContext
from search.workers.data import DataSplit, final_split, reopen_data, search_split
from search.workers.devices import hardware, versions
from search.workers.stop import Stopped, StopSignal
from search.workers.training import Training

__all__ = ["confirm_claims", "retrain"]


def confirm_claims(stored: StoredStudy, ordinal: int, part: str) -> Claims:
    """Return the claims to the retrainings of one part of a confirm."""
    return Claims(stored.storage.engine, stored.id, f"confirm-{ordinal}-{part}")


def retrain(
    stored: StoredStudy, context: WorkerContext, ordinal: int, part: str, stop: StopSignal
) -> None:
    """Retrain until this worker or another has taken every retraining of a part of a confirm."""
    confirm = load_confirm(stored, ordinal)
    trials = confirm.plan.trials if part == SELECTION else confirm.finalists
    device = context.open_device()
    dataset = reopen_data(stored, context.data)
    data = (search_split if part == SELECTION else final_split)(dataset, device)
    claims = confirm_claims(stored, ordinal, part)
    total = len(trials) * confirm.plan.seeds
    while not stop and (slot := claims.take(total)) is not None:
        try:
            trial, index = trials[slot // confirm.plan.seeds], slot % confirm.plan.seeds
            done = _retrain(stored, confirm, part, trial, index, data, stop)
            save_repeat(stored, ordinal, part, slot, done)
            claims.finish(slot)
        except Stopped:
            return
        finally:
            claims.release(slot)


def _retrain(
    stored: StoredStudy,
    confirm: Confirm,
    part: str,
    trial: int,
    index: int,
    data: DataSplit,
    stop: StopSignal,
) -> Repeat:
    """Retrain a trial's candidate once; keep the weights of a champion's first repeat.

    A champion that lost too much by int8 in the selection is tuned for it, in its final repeats.
    """
    keep = part == FINAL and index == 0
    seed = confirm_seed(stored.file.settings.seed, confirm.plan.ordinal, index)
    record = TrialRecord.of(stored.study.get_trials(deepcopy=False)[trial])
    found = record.candidate(stored.data.input_shape)
    candidate = Candidate(found.architecture, dataclasses.replace(found.recipe, seed=seed))
    training = Training(candidate, data, stop)
    training.run()
    kept = int8 = tuning = None
    normalisation = candidate.recipe.normalisation(data.normalisation)
    if training.failure is None:
        network = training.network
        loss = confirm.loss_to_tune(trial) if part == FINAL else None
        if loss is not None:
            started = time.perf_counter()
            with stop.interruptible():
                network = tune(candidate, network.state_dict(), normalisation, data.training)
            tuning = Tuning(loss, TUNING_EPOCHS, round(time.perf_counter() - started, 3))
        if keep:
            kept = _keep(training.network, stored)
            if tuning is not None:
                tuned = _keep(network, stored)
                tuning = dataclasses.replace(
                    tuning, weights=tuned.artifact, weights_sha256=tuned.sha256
                )
        if part == FINAL or confirm.plan.by_int8 or confirm.plan.tunes:
            int8 = int8_accuracy(
                candidate.architecture,
                network.state_dict(),
                normalisation,
                data.training,
                data.evaluation,
            )
    return Repeat(
        trial=trial,
        repeat=index,
        seed=seed,
        accuracies=tuple(epoch.accuracy for epoch in training.epochs),
        seconds=training.seconds,
        failure=training.reason,
        device=hardware(data.device),
        versions=versions(),
        normalisation=dataclasses.asdict(normalisation),
        weights=kept.artifact if kept else None,
        weights_sha256=kept.sha256 if kept else None,
        path=training.epochs[0].backend if training.epochs else "",
        precision=training.epochs[0].precision if training.epochs else "",
        int8=int8,
        tuning=tuning,
    )


def _keep(network: nn.Module, stored: StoredStudy) -> KeptWeights:
    return keep_weights(network, stored.artifacts, stored.study, stored.storage)

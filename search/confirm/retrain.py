"""Confirming: a worker's share of the retrainings of a confirm."""

from __future__ import annotations

import dataclasses
import time

from torch import nn

from search.confirm.records import Confirm, Repeat, load_confirm, save_repeat
from search.run.objective import seeded_network
from search.spec.candidate import Candidate
from search.storage.claims import Claims
from search.storage.weights import keep_weights
from search.study.records import TrialRecord
from search.study.seeds import confirm_seed
from search.study.study import StoredStudy
from search.workers.data import DataSplit, WorkerContext, final_parts, reopen_data, search_parts
from search.workers.devices import hardware, versions
from search.workers.stop import Stopped, StopSignal
from trainer.errors import Diverged, OutOfMemory
from trainer.loop import Epoch, train

__all__ = ["FINAL", "SELECTION", "confirm_claims", "repeat"]

SELECTION, FINAL = "selection", "final"


def confirm_claims(stored: StoredStudy, ordinal: int, work: str) -> Claims:
    """Returns the claims to the retrainings of one part of a confirm."""
    return Claims(stored.storage.engine, stored.id, f"confirm-{ordinal}-{work}")


def repeat(
    stored: StoredStudy, place: WorkerContext, ordinal: int, work: str, stop: StopSignal
) -> None:
    """Retrains until every slot of this part of the confirm is taken."""
    confirm = load_confirm(stored, ordinal)
    trials = confirm.plan.trials if work == SELECTION else (confirm.champion,)
    device = place.open_device()
    dataset = reopen_data(stored, place.data)
    parts = (search_parts if work == SELECTION else final_parts)(dataset, device)
    claims = confirm_claims(stored, ordinal, work)
    total = len(trials) * confirm.plan.seeds
    while not stop and (slot := claims.take(total)) is not None:
        try:
            number, index = trials[slot // confirm.plan.seeds], slot % confirm.plan.seeds
            done = _retrain(stored, confirm, work, number, index, parts, stop)
            save_repeat(stored, ordinal, work, slot, done)
            claims.finish(slot)
        except Stopped:
            return
        finally:
            claims.release(slot)


def _retrain(
    stored: StoredStudy,
    confirm: Confirm,
    work: str,
    number: int,
    index: int,
    parts: DataSplit,
    stop: StopSignal,
) -> Repeat:
    seed = confirm_seed(stored.file.settings.seed, confirm.plan.ordinal, index)
    record = TrialRecord.of(stored.study.get_trials(deepcopy=False)[number])
    found = record.candidate(stored.data.input_shape)
    candidate = Candidate(found.architecture, dataclasses.replace(found.recipe, seed=seed))
    device = parts.training.pixels.device
    network = seeded_network(candidate, device)
    started = time.perf_counter()
    epochs, failure = _epochs(network, candidate, parts, stop)
    seconds = round(time.perf_counter() - started, 3)
    keep = work == FINAL and index == 0 and not failure
    kept = keep_weights(network, stored.artifacts, stored.study, stored.storage) if keep else None
    return Repeat(
        trial=number,
        repeat=index,
        seed=seed,
        accuracies=tuple(epoch.accuracy for epoch in epochs),
        seconds=seconds,
        failure=failure,
        device=hardware(device),
        versions=versions(),
        normalisation=dataclasses.asdict(candidate.recipe.normalisation(parts.normalisation)),
        weights=kept.artifact if kept else None,
        weights_sha256=kept.sha256 if kept else None,
        path=epochs[0].backend if epochs else "",
    )


def _epochs(
    network: nn.Module, candidate: Candidate, parts: DataSplit, stop: StopSignal
) -> tuple[list[Epoch], str]:
    found: list[Epoch] = []
    epochs = train(network, parts.training, parts.evaluation, parts.normalisation, candidate.recipe)
    try:
        with stop.interruptible():
            found.extend(epochs)
    except (Diverged, OutOfMemory) as error:
        return found, str(error).splitlines()[0]
    return found, ""

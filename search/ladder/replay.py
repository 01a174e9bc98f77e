"""Replaying: a worker's share of the replays of ladders."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from search.ladder.records import Replay, Replays
from search.ladder.selection import Rung
from search.run.objective import seeded_network
from search.workers.data import DataSplit, WorkerContext, final_parts
from search.workers.devices import hardware, versions
from search.workers.stop import Stopped, StopSignal, interruptible
from trainer.errors import Diverged, OutOfMemory
from trainer.loop import train

__all__ = ["replay_rungs"]


def replay_rungs(
    rungs: Sequence[Rung], seeds: int, replays: Replays, place: WorkerContext, stop: StopSignal
) -> None:
    """Replays until every seed of every step is taken; a first seed of each comes first."""
    device = place.open_device()
    parts: dict[str, DataSplit] = {}
    for most in range(1, seeds + 1):
        for rung in rungs:
            claims = replays.claims(rung.fingerprint)
            while not stop and (slot := claims.take(most)) is not None:
                try:
                    name = rung.dataset.info.name
                    if name not in parts:
                        parts[name] = final_parts(rung.dataset, device)
                    _replay(rung, slot + 1, parts[name], replays, place, stop)
                    claims.finish(slot)
                except Stopped:
                    return
                finally:
                    claims.release(slot)


def _replay(
    rung: Rung,
    seed: int,
    parts: DataSplit,
    replays: Replays,
    place: WorkerContext,
    stop: StopSignal,
) -> None:
    """Trains on the whole training set, tests after every epoch and keeps each epoch at once."""
    device = parts.training.pixels.device
    candidate = rung.candidate(seed)
    replay = Replay(
        rung.fingerprint,
        seed,
        device=hardware(device),
        versions=versions(),
        workers=place.workers,
    )
    try:
        network = seeded_network(candidate, device)
        epochs = train(
            network, parts.training, parts.evaluation, parts.normalisation, candidate.recipe
        )
        for epoch in interruptible(epochs, stop):
            done = (*replay.epochs, epoch)
            replay = dataclasses.replace(replay, epochs=done, path=epoch.backend)
            replays.save(replay)
    except (Diverged, OutOfMemory) as error:
        replay = dataclasses.replace(replay, failure=str(error).splitlines()[0])
    replays.save(dataclasses.replace(replay, finished=True))

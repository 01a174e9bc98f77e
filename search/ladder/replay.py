"""A worker's share of the replays of ladders."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from search.ladder.clean_accuracy import clean_accuracy, clean_part
from search.ladder.records import Replay, Replays
from search.ladder.selection import ChosenStep
from search.storage.weights import keep_named_weights
from search.workers.context import WorkerContext
from search.workers.data import DataSplit, final_split
from search.workers.devices import hardware, versions
from search.workers.stop import Stopped, StopSignal
from search.workers.training import Training
from trainer.data import Images

__all__ = ["replay_steps"]


def replay_steps(
    steps: Sequence[ChosenStep],
    seeds: int,
    replays: Replays,
    artifacts: Path,
    context: WorkerContext,
    stop: StopSignal,
) -> None:
    """Replay until every seed of every step is taken, the first seed of each step first.

    Args:
        steps: what to replay.
        seeds: how often each of them.
        replays: where figures are kept.
        artifacts: the folder where weights are kept.
        context: of this worker.
        stop: ends the work.
    """
    device = context.open_device()
    splits: dict[str, DataSplit] = {}
    cleans: dict[str, Images] = {}
    for most in range(1, seeds + 1):
        for step in steps:
            claims = replays.claims(step.fingerprint)
            while not stop and (slot := claims.take(most)) is not None:
                try:
                    name = step.dataset.info.name
                    if name not in splits:
                        split = splits[name] = final_split(step.dataset, device)
                        cleans[name] = clean_part(
                            split.training, len(split.evaluation), step.dataset.info.classes
                        )
                    training = Training(step.candidate(slot + 1), splits[name], stop)
                    begun = Replay(
                        step.fingerprint,
                        slot + 1,
                        device=hardware(device),
                        versions=versions(),
                        workers=context.workers,
                    )
                    trained = _replay(training, begun, replays)
                    if not training.failure:
                        clean, recipe = cleans[name], step.recipe
                        kept = keep_named_weights(
                            training.network,
                            artifacts,
                            f"replay-{step.fingerprint}-{slot + 1}.safetensors",
                        )
                        trained = dataclasses.replace(
                            trained,
                            clean_accuracy=clean_accuracy(
                                training.network, clean, splits[name], recipe
                            ),
                            clean_images=len(clean),
                            weights=kept.artifact,
                            weights_sha256=kept.sha256,
                        )
                    replays.save(dataclasses.replace(trained, finished=True))
                    claims.finish(slot)
                except Stopped:
                    return
                finally:
                    claims.release(slot)


def _replay(training: Training, replay: Replay, replays: Replays) -> Replay:
    """Train, and store each epoch as soon as it ends; return the replay with all of them."""
    replays.save(replay)  # So that its first epoch is told of while it runs.
    for epoch in training:
        done = tuple(training.epochs)
        replay = dataclasses.replace(
            replay, epochs=done, path=epoch.backend, precision=epoch.precision
        )
        replays.save(replay)
    return dataclasses.replace(replay, failure=training.reason)

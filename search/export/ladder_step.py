"""A replayed step of a ladder as a network to export."""

from __future__ import annotations

from pathlib import Path

from search.errors import InputError, TrialError
from search.export.trained_network import Figures, LadderOrigin, SeedRun, TrainedNetwork
from search.ladder.records import Replays
from search.ladder.selection import ReplayPlan, choose_steps
from search.spec.ladder_file import LadderFile
from search.spec.toml import read_toml
from search.storage.artifacts import artifacts_beside
from search.storage.database import open_storage
from search.storage.weights import KeptWeights, load_weights
from search.workers.data import calibration_images
from trainer.data import normalisation

__all__ = ["refuse_ladder", "step_network"]


def step_network(path: Path, name: str, storage: str, data: Path) -> TrainedNetwork:
    """Return a step with the weights of its first replay that kept them.

    Which replay that is does not depend on the test set. Only replays with the step's own number
    of epochs count.

    Args:
        path: the ladder file.
        name: of the step.
        storage: URL of the study database with the replays.
        data: root of the data sets.

    Raises:
        StudyFileError: the file is wrong or has no such step.
        DataError: the data set cannot be used.
        StorageError: the database does not exist.
        TrialError: no replay of the step has weights, or they cannot be read.
    """
    (chosen,) = choose_steps(ReplayPlan((path,), (name,)), data)
    kept = Replays(open_storage(storage).engine).of([chosen.fingerprint])[chosen.fingerprint]
    done = [replay for replay in kept if replay.succeeded]
    command = f"flyweight ladder {path} --step {name}"
    if not done:
        raise TrialError(f"the step {name} has no finished replay yet; use {command}")
    more = f"{command} --seeds {max(replay.seed for replay in kept) + 1}"
    first = next((replay for replay in done if replay.weights is not None), None)
    if first is None or first.weights is None:
        raise TrialError(
            f"the replays of the step {name} were kept without weights, by an older version; "
            f"replay it once more with {more}"
        )
    settings, info = chosen.ladder.settings, chosen.dataset.info
    figures = Figures(
        kind="step",
        floor_epochs=settings.floor_epochs,
        epochs=len(first.epochs),
        hardware=first.device,
        versions=first.versions,
        seconds=sum(epoch.seconds for epoch in first.epochs),
        runs=tuple(
            SeedRun(replay.seed, replay.last, replay.floor(settings.floor_epochs))
            for replay in sorted(done, key=lambda replay: (replay is not first, replay.seed))
        ),
        origin=LadderOrigin(settings.name, name, settings.source),
    )
    candidate = chosen.candidate(first.seed)
    return TrainedNetwork(
        name=f"{settings.name}-{name}",
        architecture=candidate.architecture,
        weights=load_weights(
            [artifacts_beside(storage)],
            KeptWeights(first.weights, first.weights_sha256),
            f"the step {name}, seed {first.seed}",
            again=f"replay the step with another seed: {more}",
        ),
        normalisation=candidate.recipe.normalisation(normalisation(chosen.dataset.training())),
        dataset=info.name,
        class_names=info.classes,
        recipe=candidate.recipe,
        figures=figures,
        calibration=lambda: calibration_images(chosen.dataset.training()),
    )


def refuse_ladder(study: str | Path) -> None:
    """Refuse a ladder file of which no step is named.

    Raises:
        InputError: it is a ladder file.
    """
    path = Path(study)
    if path.suffix == ".toml" and path.is_file() and LadderFile.recognises(read_toml(path)):
        names = ", ".join(step.name for step in LadderFile.load(path).steps)
        raise InputError(f"{path} is a ladder; give --step NAME, one of {names}")

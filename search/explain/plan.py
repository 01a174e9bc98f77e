"""What an explanation trains: each step with some seeds, on the split of a study."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from search.calibrate.records import CandidateTraining
from search.confirm.choice import champion_or_best
from search.errors import InputError, TrialError
from search.explain.choices import ExplainStep, explain_steps
from search.export.folder import described_network
from search.spec.candidate import Candidate
from search.spec.candidate_files import DESCRIPTION
from search.study.study import StoredStudy, open_study
from search.workers.data import reopen_data
from space.layers.words import Shape
from trainer.data import Dataset, Reading, open_dataset
from trainer.errors import RecipeError
from trainer.recipe import Recipe

__all__ = ["ExplainPlan", "make_plan"]

_SEED = 6
_DIGITS = 16


@dataclass(frozen=True)
class ExplainPlan:
    """What an explanation trains.

    Attributes:
        name: of what is explained.
        steps: from the skeleton to the candidate.
        dataset: of its images.
        dataset_name: as a study file has it.
        floor_epochs: over how many of the last epochs a floor is taken.
        target: of the study, 0 to 1; None where there is none.
        seeds: with which each step is trained.
    """

    name: str
    steps: tuple[ExplainStep, ...]
    dataset: Dataset
    dataset_name: str
    floor_epochs: int
    target: float | None
    seeds: int

    @property
    def key(self) -> str:
        """Return the name under which the trainings are kept: that of steps and images."""
        candidates = [step.candidate.key for step in self.steps]
        text = json.dumps(["explain", self.dataset.info.fingerprint, candidates])
        return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]

    def candidate(self, number: int, repeat: int) -> Candidate:
        """Return a step's candidate with the seed of one of its trainings, from 0."""
        found = self.steps[number].candidate
        seed = int(np.random.SeedSequence((_SEED, number, repeat)).generate_state(1, np.uint64)[0])
        return dataclasses.replace(found, recipe=dataclasses.replace(found.recipe, seed=seed >> 1))

    def of_step(
        self, trainings: Iterable[CandidateTraining], number: int
    ) -> list[CandidateTraining]:
        """Return the trainings of a step that this plan asks for."""
        return [each for each in trainings if each.candidate == number and each.repeat < self.seeds]

    def left(self, trainings: Iterable[CandidateTraining]) -> int:
        """Return how many trainings are still to do."""
        kept = list(trainings)
        done = sum(len(self.of_step(kept, number)) for number in range(len(self.steps)))
        return len(self.steps) * self.seeds - done


def make_plan(
    what: str | Path, storage: str, data: Path, seeds: int, trial: int | None = None
) -> ExplainPlan:
    """Make the plan of an explanation; each process makes the same.

    Args:
        what: path of a study file, name of a study in the storage, or the folder of an export.
        storage: URL of the study database.
        data: root of the data sets.
        seeds: with which each step is trained.
        trial: of a study; by default its champion, before a confirm the best trial.

    Raises:
        InputError: the study, the folder, the data or the storage cannot be used.
        TrialError: the trial does not exist, or has no network.
        DataError: the images are not there.
    """
    folder = Path(what)
    if folder.is_dir():
        if trial is not None:
            raise InputError(f"--trial is of a study; {what} is the folder of one network")
        return _of_folder(folder, data, seeds)
    stored = open_study(what, storage, writing=False)
    try:
        number = _number(stored, trial)
        record = stored.records()[number]
        candidate = record.candidate(stored.data.input_shape)
        settings = stored.file.settings
        return ExplainPlan(
            name=stored.name,
            steps=explain_steps(candidate),
            dataset=reopen_data(stored, data),
            dataset_name=settings.dataset,
            floor_epochs=settings.floor_epochs,
            target=settings.target,
            seeds=seeds,
        )
    finally:
        stored.storage.engine.dispose()


def _number(stored: StoredStudy, trial: int | None) -> int:
    records = stored.records()
    if trial is not None:
        if not 0 <= trial < len(records) or records[trial].architecture is None:
            raise TrialError(f"{stored.name} has no trial {trial} with a network")
        return trial
    several = stored.file.budget.several
    found = champion_or_best(stored, several[-1] if several else None)
    if found is None:
        raise TrialError(
            f"{stored.name} has no completed trial to explain; use flyweight run first"
        )
    return found[0]


def _of_folder(folder: Path, data: Path, seeds: int) -> ExplainPlan:
    described, architecture = described_network(folder)
    try:
        candidate = Candidate(architecture, Recipe.from_dict(described["recipe"]))
        reading = Reading.from_dict(described["reading"]) if "reading" in described else None
        name, images = str(described["name"]), str(described["dataset"])
        floor_epochs = int(described["figures"]["floor_epochs"])
    except (KeyError, TypeError, ValueError, RecipeError) as error:
        raise InputError(f"{folder / DESCRIPTION} is damaged; export the network again") from error
    dataset = open_dataset(images, data, **_how_read(images, reading, architecture.input_shape))
    if dataset.info.input_shape != architecture.input_shape:
        raise InputError(f"the images of {images} in {data} are not those of {folder}")
    steps = explain_steps(candidate)
    return ExplainPlan(name, steps, dataset, images, floor_epochs, None, seeds)


def _how_read(images: str, reading: Reading | None, shape: Shape) -> dict[str, Any]:
    """Return how the images of a folder were read, for ``open_dataset``."""
    if reading is None or not images.startswith("folder:"):
        return {}
    return {
        "image_size": shape[1] if reading.resized else None,
        "colour": shape[0] == 3,
        "background": reading.background,
        "rules": reading.rules,
    }

"""Which candidates a calibration trains, and how often."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import optuna

from search.calibrate.records import CandidateTraining, calibration_key
from search.errors import WorkFailed
from search.spec.budget import assess
from search.spec.candidate import Candidate
from search.spec.study_file import StudyFile
from search.study.study import open_study
from search.workers.data import open_data
from trainer.data import Dataset

__all__ = ["LEAST_CANDIDATES", "REPEATED", "CalibrationPlan", "make_plan"]

REPEATED = 3
"""The candidates, the best ones, that are trained with more seeds."""

LEAST_CANDIDATES = 3
"""Fewer cannot be ranked."""

_SEED = 4
_MOST_DRAWS = 5_000


@dataclass(frozen=True)
class CalibrationPlan:
    """What a calibration trains.

    Attributes:
        file: the study file.
        dataset: of the study.
        key: under which the trainings are kept.
        candidates: different ones, drawn at random among those that fit the budget; always the
            same.
        seeds: with how many more seeds each of the :data:`REPEATED` best is trained.
    """

    file: StudyFile
    dataset: Dataset
    key: str
    candidates: tuple[Candidate, ...]
    seeds: int

    def candidate(self, number: int, repeat: int) -> Candidate:
        """Return a candidate with the seed of one of its trainings."""
        found = self.candidates[number]
        seed = int(np.random.SeedSequence((_SEED, number, repeat)).generate_state(1, np.uint64)[0])
        return dataclasses.replace(found, recipe=dataclasses.replace(found.recipe, seed=seed >> 1))

    def of_this(self, trainings: Iterable[CandidateTraining]) -> list[CandidateTraining]:
        """Return the trainings that this plan asks for, of those that are kept."""
        mine = [t for t in trainings if t.candidate < len(self.candidates)]
        repeated = self.repeated(mine)
        return [
            training
            for training in mine
            if training.repeat == 0
            or (training.candidate in repeated and training.repeat <= self.seeds)
        ]

    def repeated(self, trainings: Iterable[CandidateTraining]) -> tuple[int, ...]:
        """Return the numbers of the best candidates, which more seeds train, the best first.

        Differences between the best decide a search, and poor candidates differ more by their
        seeds.

        Args:
            trainings: of all candidates; none are returned while one is missing.
        """
        first = [training for training in trainings if training.repeat == 0]
        if len({t.candidate for t in first} & set(range(len(self.candidates)))) < len(
            self.candidates
        ):
            return ()
        epochs = self.file.settings.floor_epochs
        ended = [t for t in first if t.candidate < len(self.candidates) and not t.failure]
        ended.sort(key=lambda training: (-training.floor(epochs), training.candidate))
        return tuple(training.candidate for training in ended[:REPEATED])

    def left(self, trainings: Iterable[CandidateTraining]) -> int:
        """Return how many trainings are still to do, the repeats included."""
        done = self.of_this(trainings)
        repeated = self.repeated(done)
        # As long as it is not known how many candidates fail, none is expected to.
        first = sum(training.repeat == 0 for training in done)
        unknown = first < len(self.candidates)
        repeats = min(REPEATED, len(self.candidates)) if unknown else len(repeated)
        return len(self.candidates) + repeats * self.seeds - len(done)


def make_plan(
    study: str | Path, storage: str, data: Path, candidates: int, seeds: int
) -> CalibrationPlan:
    """Make the plan of a study's calibration; each process makes the same.

    Args:
        study: path of a study file, or name of a study in the storage.
        storage: URL of the study database.
        data: root of the data sets.
        candidates: how many to draw.
        seeds: with how many more seeds each of the best is trained.

    Raises:
        InputError: the study, its data or the storage cannot be used.
        WorkFailed: too few different candidates among those that are drawn fit the budget.
    """
    if str(study).endswith(".toml"):
        file, reading = StudyFile.load(study), None
    else:
        stored = open_study(study, storage, writing=False)
        file, reading = stored.file, stored.data.reading
        stored.storage.engine.dispose()
    dataset = open_data(file, data, reading)
    info = dataset.info
    file.check_fits(file.search_space(info.input_shape, len(info.classes)))
    drawn = _draw(file, dataset, candidates)
    return CalibrationPlan(file, dataset, calibration_key(file, info.fingerprint), drawn, seeds)


def _draw(file: StudyFile, dataset: Dataset, count: int) -> tuple[Candidate, ...]:
    space = file.search_space(dataset.info.input_shape, len(dataset.info.classes))
    recipes = file.recipe_space()
    # Not the study's seed: studies that differ in it share their calibration.
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=_SEED))
    found: dict[str, Candidate] = {}
    for draws in range(_MOST_DRAWS):
        trial = study.ask()
        candidate = Candidate(space.suggest(trial).architecture, recipes.suggest(trial, _SEED))
        if assess(candidate.architecture, file.budget).fits:
            found.setdefault(candidate.key, candidate)
        if len(found) == count:
            return tuple(found.values())
        if draws % 100 == 99:  # What was asked for is not looked at again.
            study = optuna.create_study(sampler=study.sampler)
    fewer = f"give --candidates {len(found)}, or " if len(found) >= LEAST_CANDIDATES else ""
    raise WorkFailed(
        f"only {len(found)} different candidates among {_MOST_DRAWS:,} drawn at random fit the "
        f"budget of {file.settings.name}; {fewer}change budget or space"
    )

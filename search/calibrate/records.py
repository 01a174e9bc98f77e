"""The trainings of calibrations, as they are kept in the study database.

They belong to data, budget, space and recipe, not to a study: studies that differ in sampler,
pruner, seed or name share them, and calibrating does not begin a study.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from statistics import fmean
from typing import Any

from sqlalchemy import Engine, delete, insert, inspect, select

from search.spec.study_file import StudyFile
from search.storage.claims import Claims
from search.storage.tables import CALIBRATIONS, add_table
from trainer.backends.choose import Backend
from trainer.loop import Epoch
from trainer.metrics import floor

__all__ = ["Calibrations", "CandidateTraining", "calibration_key"]

# Studies are numbered from 1.
_NO_STUDY = 0
_DIGITS = 16


def calibration_key(file: StudyFile, images: str) -> str:
    """Return the name of what a study file's candidates are, how they train, and on which images.

    Args:
        file: of the study.
        images: fingerprint of the data set.
    """
    resolved = file.to_dict()
    # The first word says by which rule candidates are numbered.
    parts = ["different", images, *(resolved[section] for section in ("budget", "space", "recipe"))]
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


@dataclass(frozen=True)
class CandidateTraining:
    """One training of one candidate of a calibration.

    Attributes:
        candidate: its number, from 0.
        repeat: 0 for its first training, from 1 for those with more seeds.
        architecture: as text.
        parameters: trainable parameters.
        recipe: as JSON values.
        epochs: on the training images, measured on the validation images.
        seconds: wall time.
        failure: why it ended early, empty where it did not.
        device: hardware.
        versions: of the packages that decide the figures.
        path: the backend that computed the steps.
    """

    candidate: int
    repeat: int
    architecture: str
    parameters: int
    recipe: Mapping[str, Any]
    epochs: tuple[Epoch, ...]
    seconds: float
    failure: str = ""
    device: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    path: str = Backend.EAGER

    def floor(self, epochs: int) -> float:
        """Return the lowest validation accuracy of the last ``epochs`` epochs."""
        return floor([epoch.accuracy for epoch in self.epochs], epochs)

    def mean(self, epochs: int) -> float:
        """Return the mean validation accuracy of the last ``epochs`` epochs."""
        return fmean(epoch.accuracy for epoch in self.epochs[-epochs:])

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {**asdict(self), "epochs": [epoch.to_dict() for epoch in self.epochs]}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> CandidateTraining:
        """Read what :meth:`to_dict` returned."""
        return cls(**{**kept, "epochs": tuple(Epoch(**epoch) for epoch in kept["epochs"])})


class Calibrations:
    """The trainings of one calibration in a study database.

    Args:
        engine: of the database.
        key: of the calibration, see :func:`calibration_key`.
    """

    def __init__(self, engine: Engine, key: str) -> None:
        self._engine = engine
        self._key = key

    def save(self, training: CandidateTraining) -> None:
        """Store a training; the table is added if it is missing."""
        add_table(CALIBRATIONS, self._engine)
        name = {"calibration": self._key, "candidate": training.candidate}
        row = {**name, "repeat": training.repeat, "kept": json.dumps(training.to_dict())}
        same = (
            (CALIBRATIONS.c.calibration == self._key)
            & (CALIBRATIONS.c.candidate == training.candidate)
            & (CALIBRATIONS.c.repeat == training.repeat)
        )
        with self._engine.begin() as connection:
            connection.execute(delete(CALIBRATIONS).where(same))
            connection.execute(insert(CALIBRATIONS), [row])

    def trainings(self) -> list[CandidateTraining]:
        """Return what is kept, by candidates and their repeats; nothing is written."""
        if not inspect(self._engine).has_table(CALIBRATIONS.name):
            return []
        query = (
            select(CALIBRATIONS.c.kept)
            .where(CALIBRATIONS.c.calibration == self._key)
            .order_by(CALIBRATIONS.c.candidate, CALIBRATIONS.c.repeat)
        )
        with self._engine.connect() as connection:
            rows = [kept for (kept,) in connection.execute(query)]
        return [CandidateTraining.from_dict(json.loads(kept)) for kept in rows]

    def claims(self, candidate: int) -> Claims:
        """Return the claims to a candidate's trainings; the slots are the repeats."""
        return Claims(self._engine, _NO_STUDY, f"calibrate {self._key} {candidate}")

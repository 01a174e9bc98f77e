"""Replays of hand-made steps, as they are kept in the study database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean
from typing import Any

from sqlalchemy import Engine, delete, insert, select

from search.storage.claims import Claims
from search.storage.tables import REPLAYS, add_table
from trainer.backends.choose import Backend
from trainer.loop import Epoch
from trainer.metrics import floor

__all__ = ["Replay", "Replays"]

# Studies are numbered from 1.
_NO_STUDY = 0


@dataclass(frozen=True)
class Replay:
    """One training of a step, as far as it has come.

    Attributes:
        candidate: fingerprint of what was trained on which images.
        seed: of the recipe.
        epochs: on the whole training set, measured on the test set.
        finished: whether all epochs are there, or it failed.
        failure: why it ended early, empty where it did not.
        device: hardware.
        versions: of the packages that decide the figures.
        workers: how many workers shared the machine.
        path: the backend that computed the steps.
        precision: of float32 on the device, ``"ieee"`` or ``"tf32"``; empty if it was not kept.
        clean_accuracy: after the last epoch on training images that are not augmented, in
            evaluation mode, 0 to 1; None if it was not kept.
        clean_images: how many images that was measured on.
        weights: the file of the weights after the last epoch, in the folder of artifacts beside
            the database; None if they were not kept.
        weights_sha256: of that file, in hexadecimal digits.
    """

    candidate: str
    seed: int
    epochs: tuple[Epoch, ...] = ()
    finished: bool = False
    failure: str = ""
    device: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    workers: int = 1
    path: str = Backend.EAGER
    precision: str = ""
    clean_accuracy: float | None = None
    clean_images: int = 0
    weights: str | None = None
    weights_sha256: str | None = None

    @property
    def succeeded(self) -> bool:
        """Return whether it trained to its end."""
        return self.finished and not self.failure

    @property
    def accuracies(self) -> list[float]:
        """Return the test accuracy after each epoch, 0 to 1."""
        return [epoch.accuracy for epoch in self.epochs]

    @property
    def best(self) -> float:
        """Return the highest test accuracy of an epoch; it is chosen on the test set."""
        return max(self.accuracies)

    @property
    def last(self) -> float:
        """Return the test accuracy after the last epoch."""
        return self.epochs[-1].accuracy

    def floor(self, epochs: int) -> float:
        """Return the lowest test accuracy of the last ``epochs`` epochs."""
        return floor(self.accuracies, epochs)

    def train_accuracy(self, epochs: int) -> float:
        """Return the mean accuracy on the augmented training images over the last epochs."""
        return fmean(epoch.train_accuracy for epoch in self.epochs[-epochs:])

    @property
    def clean_gap(self) -> float | None:
        """Return the clean training accuracy less the test accuracy, both after the last epoch."""
        return None if self.clean_accuracy is None else self.clean_accuracy - self.last

    def augmented_gap(self, epochs: int) -> float:
        """Return mean augmented training less mean test accuracy over the last epochs."""
        return self.train_accuracy(epochs) - fmean(self.accuracies[-epochs:])

    @property
    def seconds_per_epoch(self) -> float:
        """Return the mean wall time of an epoch, evaluation included."""
        return fmean(epoch.seconds for epoch in self.epochs)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {**asdict(self), "epochs": [epoch.to_dict() for epoch in self.epochs]}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Replay:
        """Read what :meth:`to_dict` returned."""
        epochs = tuple(Epoch(**epoch) for epoch in kept["epochs"])
        return cls(**{**kept, "epochs": epochs})


class Replays:
    """The replays in a study database.

    Args:
        engine: of the database; the table is added if it is missing.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        add_table(REPLAYS, engine)

    def save(self, replay: Replay) -> None:
        """Store a replay; an earlier state of it is replaced."""
        mine = (REPLAYS.c.candidate == replay.candidate) & (REPLAYS.c.seed == replay.seed)
        row = {
            "candidate": replay.candidate,
            "seed": replay.seed,
            "kept": json.dumps(replay.to_dict()),
        }
        with self._engine.begin() as connection:
            connection.execute(delete(REPLAYS).where(mine))
            connection.execute(insert(REPLAYS), [row])

    def of(self, candidates: Iterable[str]) -> dict[str, list[Replay]]:
        """Return all replays of each candidate, in the order of their seeds."""
        found: dict[str, list[Replay]] = {candidate: [] for candidate in candidates}
        for kept in self._rows(list(found)):
            replay = Replay.from_dict(json.loads(kept))
            found[replay.candidate].append(replay)
        return found

    def claims(self, candidate: str) -> Claims:
        """Return the claims to a candidate's seeds; slot i is seed i + 1."""
        return Claims(self._engine, _NO_STUDY, f"replay {candidate}")

    def _rows(self, candidates: Sequence[str]) -> list[str]:
        query = select(REPLAYS.c.kept).where(REPLAYS.c.candidate.in_(candidates))
        with self._engine.connect() as connection:
            return [kept for (kept,) in connection.execute(query.order_by(REPLAYS.c.seed))]

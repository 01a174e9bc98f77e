"""A study's results for Python: its trials, the best one, its confirms, and a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optuna.trial import FrozenTrial

from search.pages.blocks import Block, Figure, Table, Text
from search.pages.html import fragment
from search.pictures.curves import curves_picture
from search.pictures.network import network_picture
from search.pictures.search_charts import Measured, front_chart
from search.spec.study_file import StudyFile
from search.storage.urls import DEFAULT_STORAGE
from search.study.confirms import Confirm, load_confirms
from search.study.records import Outcome, TrialRecord, best_of, front_records, trial_text
from search.study.study import StoredStudy, open_study
from search.text import percent
from space.architecture import Architecture
from space.cost import Cost
from space.fields import Scalar
from trainer.loop import Epoch
from trainer.recipe import Recipe

if TYPE_CHECKING:
    import pandas

__all__ = ["Study", "StudyTrial"]

_COLUMNS = (
    "number",
    "outcome",
    "reason",
    "score",
    "rank_score",
    "repeat_of",
    "fold",
    "epochs",
    "seconds",
    "architecture",
)


@dataclass(frozen=True, repr=False)
class StudyTrial:
    """One trial of a study.

    Attributes:
        number: of the trial in its study, from 0.
        outcome: how it ended; None while it waits or runs.
        reason: why it was rejected or failed, else empty.
        score: the validation floor of a complete trial, 0 to 1, else None.
        rank_score: what samplers rank it by, the higher the better; None unless it is complete.
        repeat_of: the number of the first trial of its candidate; None for that trial itself.
        fold: the split of the training part that it was judged on; 0 but for repeats.
        architecture: its network; None before it was drawn.
        recipe: its training, with the seed; None before it was drawn.
        cost: of the architecture; None before it was drawn, and where the maps vanish.
        epochs: the figures of each epoch that was trained.
        seconds: wall time of the training; 0 without one.
        params: what was drawn, by the names of the search space, without what the network does
            not use, such as the widths of a stage that it does not have.
    """

    number: int
    outcome: Outcome | None
    reason: str
    score: float | None
    rank_score: float | None
    repeat_of: int | None
    fold: int
    architecture: Architecture | None
    recipe: Recipe | None
    cost: Cost | None
    epochs: tuple[Epoch, ...]
    seconds: float
    params: Mapping[str, Scalar]

    def __repr__(self) -> str:
        return trial_text(
            self.number,
            self.outcome,
            self.score,
            None if self.cost is None else self.cost.parameters,
            self.epochs,
            None if self.architecture is None else str(self.architecture),
        )

    def _repr_html_(self) -> str:
        """Show the trial in a notebook: its figures, its network and its curves."""
        blocks: list[Block] = [Text(repr(self).splitlines()[0], strong=True)]
        if self.architecture is not None:
            blocks.append(Figure(network_picture(self.architecture)))
        if self.epochs:
            blocks.append(Figure(curves_picture(self.epochs, len(self.epochs))))
        return fragment(blocks)


class Study:
    """A study in a study database, for reading.

    Each attribute is read from the database when it is used, so a study can be followed while it
    runs::

        study = Study.open("studies/digits.toml")
        study.best.architecture
        study.frame().plot.scatter("cost_parameters", "score")
    """

    def __init__(self, stored: StoredStudy) -> None:
        self._stored = stored

    @classmethod
    def open(cls, study: str | Path, *, storage: str = DEFAULT_STORAGE) -> Study:
        """Open a study of a study database.

        Args:
            study: path of a study file, or the study's name.
            storage: URL of the study database.

        Raises:
            StudyFileError: ``study`` is a path, and the file is wrong.
            StorageError: the study or the database does not exist.
        """
        return cls(open_study(study, storage, writing=False))

    def __repr__(self) -> str:
        return f"<Study {self.name!r} with {len(self._frozen())} trials>"

    def _repr_html_(self) -> str:
        """Show the study in a notebook: how far it is, and accuracy against parameters."""
        records = [TrialRecord.of(trial) for trial in self._frozen()]
        trained = sum(record.trained for record in records)
        rejected = sum(record.outcome is Outcome.REJECTED for record in records)
        heading = f"{self.name}: {trained:,} trained, {rejected:,} rejected"
        blocks: list[Block] = [Text(heading, strong=True)]
        complete = [record for record in records if record.score is not None]
        if complete:
            front = front_records(records)
            limits = self._stored.file.budget.parameter_limits
            chart = front_chart(_measured(complete), _measured(front), (), limits)
            blocks.append(Figure(chart))
            rows = [
                (f"{each.number}", f"{each.parameters:,}", percent(each.score)) for each in front
            ]
            headings = ("trial", "parameters", "validation floor")
            blocks.append(Table(headings, rows, frozenset({0, 1, 2})))
        return fragment(blocks)

    @property
    def name(self) -> str:
        """Return the study's name."""
        return self._stored.name

    @property
    def file(self) -> StudyFile:
        """Return the study file, as it was when the study began."""
        return self._stored.file

    @property
    def trials(self) -> tuple[StudyTrial, ...]:
        """Return all trials in the order of their numbers, also rejected, waiting, running ones."""
        return tuple(map(self._trial, self._frozen()))

    @property
    def best(self) -> StudyTrial | None:
        """Return the complete trial with the highest score; None before one is complete.

        Of trials with equal scores it is the one with fewest parameters. Where the study asks for
        the smallest network that holds its target, it is the smallest one that does, if one does.
        """
        trials = self._frozen()
        records = [TrialRecord.of(trial) for trial in trials]
        best = best_of(records, self._stored.file.settings.to_hold)
        return None if best is None else self._trial(trials[best.number])

    @property
    def confirms(self) -> tuple[Confirm, ...]:
        """Return the confirms of the study, the first one first, as far as each has come."""
        return load_confirms(self._stored)

    def frame(self) -> pandas.DataFrame:
        """Return a table with one row for each trial, in the order of their numbers.

        Returns:
            A pandas ``DataFrame`` with the columns ``number``, ``outcome``, ``reason``, ``score``
            and ``rank_score`` (0 to 1), ``repeat_of``, ``fold``, ``epochs`` (how many were
            trained), ``seconds`` and ``architecture`` (as text, a layer a line); ``params_...`` for
            each drawn parameter, as in Optuna's tables;
            and ``cost_...`` for each figure of the cost. What a trial does not have is missing.
        """
        import pandas

        rows = [_row(trial) for trial in self.trials]
        found = dict.fromkeys(key for row in rows for key in row)
        params = [key for key in found if key.startswith("params_")]
        costs = [key for key in found if key.startswith("cost_")]
        return pandas.DataFrame(rows, columns=[*_COLUMNS, *params, *costs])

    def _frozen(self) -> list[FrozenTrial]:
        return self._stored.study.get_trials(deepcopy=False)

    def _trial(self, trial: FrozenTrial) -> StudyTrial:
        record = TrialRecord.of(trial)
        candidate = None
        if record.architecture is not None and record.recipe:
            candidate = record.candidate(self._stored.data.input_shape)
        unused = record.attributes.get("inactive", ())
        return StudyTrial(
            number=record.number,
            outcome=record.outcome,
            reason=record.reason,
            score=record.score,
            rank_score=record.rank_score,
            repeat_of=record.repeat_of,
            fold=record.fold,
            architecture=None if candidate is None else candidate.architecture,
            recipe=None if candidate is None else candidate.recipe,
            cost=_cost(record.attributes.get("cost")),
            epochs=record.epochs,
            seconds=record.seconds,
            params={key: value for key, value in trial.params.items() if key not in unused},
        )


def _measured(records: Sequence[TrialRecord]) -> list[Measured]:
    return [
        Measured(each.parameters or 1, each.score or 0.0, f"trial {each.number}")
        for each in records
    ]


def _cost(kept: Mapping[str, Any] | None) -> Cost | None:
    """Read a cost; return None if the trial has none."""
    return Cost(**{field.name: kept[field.name] for field in fields(Cost)}) if kept else None


def _row(trial: StudyTrial) -> dict[str, Any]:
    row: dict[str, Any] = {
        "number": trial.number,
        "outcome": None if trial.outcome is None else trial.outcome.value,
        "reason": trial.reason,
        "score": trial.score,
        "rank_score": trial.rank_score,
        "repeat_of": trial.repeat_of,
        "fold": trial.fold,
        "epochs": len(trial.epochs),
        "seconds": trial.seconds,
        "architecture": None if trial.architecture is None else str(trial.architecture),
    }
    row |= {f"params_{name}": value for name, value in trial.params.items()}
    if trial.cost is not None:
        row |= {f"cost_{field.name}": getattr(trial.cost, field.name) for field in fields(Cost)}
        row["cost_activation_kib"] = trial.cost.activation_kib
    return row

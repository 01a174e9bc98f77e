"""Store what is known of a trial, and read it back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from optuna.trial import FrozenTrial, Trial, TrialState

from search.spec.budget import Assessment, Budget
from search.spec.candidate import Candidate, candidate_key
from search.text import percent, plural
from space.architecture import Architecture
from space.errors import NotDeployable
from trainer.backends.choose import Backend
from trainer.loop import Epoch
from trainer.metrics import floor
from trainer.recipe import Recipe

__all__ = [
    "CANDIDATE_ATTRIBUTE",
    "FOLD_ATTRIBUTE",
    "IMAGES_ATTRIBUTE",
    "LIMIT_ATTRIBUTE",
    "NO_PICTURES_ATTRIBUTE",
    "REPEAT_ATTRIBUTE",
    "SCORE_ATTRIBUTE",
    "Outcome",
    "TrialRecord",
    "best_of",
    "bests_so_far",
    "front_records",
    "record_candidate",
    "records_of",
    "trained_outcomes",
    "trial_text",
]


CANDIDATE_ATTRIBUTE = "candidate"
"""The attribute of a trial that is equal for equal candidates."""

IMAGES_ATTRIBUTE = "validation_images"
"""The attribute of a trial that says on how many images it was judged."""

FOLD_ATTRIBUTE = "fold"
"""The attribute of a trial that names the split it was judged on; absent for the first one."""

LIMIT_ATTRIBUTE = "limit"
"""The attribute of a trial that says which of several limits on parameters holds for it."""

NO_PICTURES_ATTRIBUTE = "no_pictures"
"""The attribute of a complete trial whose pictures could not be kept: why."""

REPEAT_ATTRIBUTE = "repeat_of"
"""The attribute of a repeat: the number of the first trial of its candidate."""

SCORE_ATTRIBUTE = "score"
"""The attribute of a complete trial that samplers rank by, the higher the better.

A study that began without the key ``score`` has none: there the floor ranks.
"""


class Outcome(StrEnum):
    """The outcome of a trial."""

    COMPLETE = "complete"
    PRUNED = "pruned"
    REJECTED = "rejected"
    DIVERGED = "diverged"
    OUT_OF_MEMORY = "out-of-memory"
    INTERRUPTED = "interrupted"

    @property
    def trained(self) -> bool:
        """Return whether a trial with this outcome counts as trained."""
        return self not in (Outcome.REJECTED, Outcome.INTERRUPTED)


trained_outcomes = tuple(outcome for outcome in Outcome if outcome.trained)


@dataclass(frozen=True, repr=False)
class TrialRecord:
    """One trial as the storage has it.

    Attributes:
        number: of the trial in its study.
        outcome: None while it waits or runs.
        reason: why it was rejected or failed; else empty.
        score: the validation floor of a complete trial, 0 to 1.
        architecture: as text, None before it was drawn.
        recipe: as JSON values.
        parameters: trainable parameters, None where there is no cost.
        epochs: the figures of each epoch.
        seconds: wall time of the training.
        began: when it began.
        ended: when it ended.
        attributes: all user attributes.
    """

    number: int
    outcome: Outcome | None
    reason: str
    score: float | None
    architecture: str | None
    recipe: Mapping[str, Any]
    parameters: int | None
    epochs: tuple[Epoch, ...]
    seconds: float
    began: datetime | None
    ended: datetime | None
    attributes: Mapping[str, Any]

    @classmethod
    def of(cls, trial: FrozenTrial) -> TrialRecord:
        """Read a trial."""
        kept = trial.user_attrs
        outcome = Outcome(kept["outcome"]) if "outcome" in kept else None
        if not trial.state.is_finished():
            outcome = None
        elif outcome is None:
            outcome = Outcome.INTERRUPTED
        complete = outcome is Outcome.COMPLETE and trial.state is TrialState.COMPLETE
        return cls(
            number=trial.number,
            outcome=outcome,
            reason=kept.get("reason", ""),
            score=trial.value if complete else None,
            architecture=kept.get("architecture"),
            recipe=kept.get("recipe", {}),
            parameters=kept.get("cost", {}).get("parameters"),
            epochs=tuple(
                Epoch(**epoch, backend=Backend(kept.get("path", Backend.EAGER)))
                for epoch in kept.get("epochs", ())
            ),
            seconds=kept.get("seconds", 0.0),
            began=trial.datetime_start,
            ended=trial.datetime_complete,
            attributes=kept,
        )

    def __repr__(self) -> str:
        return trial_text(
            self.number, self.outcome, self.score, self.parameters, self.epochs, self.architecture
        )

    @property
    def rank_score(self) -> float | None:
        """Return what samplers rank a complete trial by, the higher the better."""
        return None if self.score is None else self.attributes.get(SCORE_ATTRIBUTE, self.score)

    @property
    def fold(self) -> int:
        """Return the split that it was judged on, see :meth:`trainer.data.Dataset.search_split`."""
        return int(self.attributes.get(FOLD_ATTRIBUTE, 0))

    @property
    def limit(self) -> int | None:
        """Return which of several limits on parameters holds for it; None where there is one."""
        return self.attributes.get(LIMIT_ATTRIBUTE)

    def within(self, limit: int) -> bool:
        """Return whether its network fits a limit on parameters."""
        return self.parameters is not None and self.parameters <= limit

    @property
    def repeat_of(self) -> int | None:
        """Return the number of the first trial of its candidate, None if it is the first."""
        return self.attributes.get(REPEAT_ATTRIBUTE)

    @property
    def key(self) -> str | None:
        """Return what is equal for equal candidates, None before the candidate was drawn.

        What an earlier version stored is of a recipe without the keys that came later, so it is
        worked out from the recipe as it is read now.
        """
        if self.architecture is None:
            return self.attributes.get(CANDIDATE_ATTRIBUTE)
        return candidate_key(self.architecture, Recipe.from_dict(self.recipe).to_dict())

    @property
    def on_chip(self) -> str:
        """Return what its network takes of a chip in int8, in words; empty where it is not known.

        An example is ``RAM 3.5 KiB, flash 8.1 KiB``.
        """
        cost = self.attributes.get("cost", {})
        if not cost.get("ram_kib"):
            return ""
        return f"RAM {cost['ram_kib']:,.1f} KiB, flash {cost['flash_kib']:,.1f} KiB"

    @property
    def trained(self) -> bool:
        """Return whether it counts as a trained trial."""
        return self.outcome is not None and self.outcome.trained

    def candidate(self, input_shape: tuple[int, int, int]) -> Candidate:
        """Rebuild the candidate of a trial.

        Args:
            input_shape: channels, height and width of the study's images.

        Raises:
            ValueError: the trial has no architecture.
        """
        if self.architecture is None:
            raise ValueError(f"trial {self.number} has no architecture")
        architecture = Architecture.parse(self.architecture, input_shape=input_shape)
        return Candidate(architecture, Recipe.from_dict(self.recipe))

    def floor(self, epochs: int) -> float | None:
        """Return the floor over the last ``epochs`` epochs so far; None before the first."""
        accuracies = [epoch.accuracy for epoch in self.epochs]
        return floor(accuracies, epochs) if accuracies else None


def records_of(trials: list[FrozenTrial]) -> list[TrialRecord]:
    """Read trials in their order."""
    return [TrialRecord.of(trial) for trial in trials]


def best_of(
    records: Iterable[TrialRecord], to_hold: float | None = None, limit: int | None = None
) -> TrialRecord | None:
    """Return the complete trial with the highest floor; of equal ones, that with fewest parameters.

    Rejected trials are never complete, so the best always fits the budget.

    Args:
        records: of a study.
        to_hold: the floor that is to be held, where the smallest network that does so is asked for.
            If one holds it, the smallest of those is returned.
        limit: on parameters, where the best that fits one of several is asked for.
    """
    scored = [record for record in records if record.score is not None]
    if limit is not None:
        scored = [record for record in scored if record.within(limit)]
    if to_hold is not None:
        holding = [record for record in scored if (record.score or 0.0) >= to_hold]
        if holding:
            return min(holding, key=lambda each: (each.parameters or 0, -(each.score or 0.0)))
    return max(
        scored, key=lambda record: (record.score or 0.0, -(record.parameters or 0)), default=None
    )


def front_records(records: Iterable[TrialRecord]) -> list[TrialRecord]:
    """Return the complete trials that none beats in floor and parameters, the smallest first."""
    complete = [record for record in records if record.score is not None]
    front: list[TrialRecord] = []
    for record in sorted(complete, key=lambda each: (each.parameters or 0, -(each.score or 0.0))):
        if not front or (record.score or 0.0) > (front[-1].score or 0.0):
            front.append(record)
    return front


def bests_so_far(records: Iterable[TrialRecord]) -> tuple[list[tuple[int, TrialRecord]], int]:
    """Return each complete trial that was better than all before, and how many were trained.

    Returns:
        The trials in the order in which they ended, each with the number of trained trials by then,
        pruned ones included; and the number of all trained trials.
    """
    done = sorted(
        (record for record in records if record.trained and record.ended is not None),
        key=lambda record: record.ended,  # type: ignore[arg-type,return-value]
    )
    bests: list[tuple[int, TrialRecord]] = []
    for count, record in enumerate(done, 1):
        best = bests[-1][1].score if bests else None
        if record.score is not None and (best is None or record.score > best):
            bests.append((count, record))
    return bests, len(done)


def trial_text(
    number: int,
    outcome: Outcome | None,
    score: float | None,
    parameters: int | None,
    epochs: Sequence[Epoch],
    architecture: str | None,
) -> str:
    """Return a line on a trial and, below it, the lines of its network."""
    figures = [f"trial {number} {outcome or 'not finished'}"]
    if parameters is not None:
        figures.append(f"{parameters:,} parameters")
    if score is not None:
        figures.append(f"validation floor {percent(score)}")
    elif epochs:
        figures.append(f"{percent(epochs[-1].accuracy)} after {plural(len(epochs), 'epoch')}")
    layers = (architecture or "").splitlines()
    return "\n    ".join([", ".join(figures), *layers])


def record_candidate(
    trial: Trial,
    candidate: Candidate,
    assessment: Assessment,
    budget: Budget,
    inactive: frozenset[str],
    limit: int | None = None,
) -> None:
    """Store what is known of a candidate before it is trained.

    Args:
        trial: that has drawn it.
        candidate: that was drawn.
        assessment: of its cost.
        budget: by which it was assessed; it names the core whose code is counted.
        inactive: parameters of the trial that decide nothing about it.
        limit: which of several limits on parameters it was assessed by; None where there is one.
    """
    if limit is not None:
        trial.set_user_attr(LIMIT_ATTRIBUTE, limit)
    trial.set_user_attr("architecture", str(candidate.architecture))
    trial.set_user_attr("recipe", candidate.recipe.to_dict())
    trial.set_user_attr(CANDIDATE_ATTRIBUTE, candidate.key)
    trial.set_user_attr("cost", _cost_values(candidate, assessment, budget))
    trial.set_user_attr("inactive", sorted(inactive))
    for key, value in assessment.constraints.items():
        trial.set_constraint(key, value)


def _cost_values(candidate: Candidate, assessment: Assessment, budget: Budget) -> dict[str, float]:
    """Return the cost of a candidate as JSON values; an empty table where it has none."""
    cost, deployed = assessment.cost, assessment.deployed
    if cost is None:
        return {}
    values = {**asdict(cost), "activation_kib": cost.activation_kib}
    if deployed is None and assessment.fits:
        with suppress(NotDeployable):
            deployed = budget.deployed(candidate.architecture)
    if deployed is not None:
        values |= {"ram_kib": deployed.ram_kib, "flash_kib": deployed.flash_kib}
    return values

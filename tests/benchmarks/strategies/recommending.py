"""What a search recommends after so many trainings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from search.spec.candidate import Candidate
from search.study.candidates import best_trials, candidates_known
from search.study.records import TrialRecord
from search.study.study import StoredStudy
from space import Architecture
from trainer.recipe import Recipe

__all__ = ["RULE", "Recommendation", "first_trainings", "recommendations", "recommended"]

RULE = "the candidate with the highest expected score after all trainings so far"
"""What :func:`recommended` chooses, in words."""


@dataclass(frozen=True)
class Recommendation:
    """A candidate that a run recommends.

    Attributes:
        trial: number of its trial in the run.
        score: of that trial.
        parameters: of its network.
        architecture: its lines.
        input_shape: channels, height and width of an image.
        recipe: its recipe, without the seed.
    """

    trial: int
    score: float | None
    parameters: int
    architecture: str
    input_shape: Sequence[int]
    recipe: Mapping[str, Any]

    @classmethod
    def of(cls, record: TrialRecord, input_shape: tuple[int, int, int]) -> Recommendation:
        """Return the recommendation of a trial's candidate.

        Args:
            record: of the trial.
            input_shape: channels, height and width of an image.
        """
        assert record.architecture is not None, "a trained trial has an architecture"
        assert record.parameters is not None, "a trained trial has a number of parameters"
        return cls(
            trial=record.number,
            score=record.score,
            parameters=record.parameters,
            architecture=record.architecture,
            input_shape=list(input_shape),
            recipe={key: value for key, value in record.recipe.items() if key != "seed"},
        )

    def candidate(self, seed: int) -> Candidate:
        """Return the candidate, to be trained with a seed."""
        channels, height, width = self.input_shape
        return Candidate(
            Architecture.parse(self.architecture, input_shape=(channels, height, width)),
            Recipe.from_dict({**self.recipe, "seed": seed}),
        )


def recommendations(
    stored: StoredStudy, records: Sequence[TrialRecord], times: Iterable[int]
) -> list[Recommendation]:
    """Return what a run recommends after each number of trainings.

    Args:
        stored: the study of the run, its storage open.
        records: of the trained trials, in their order.
        times: numbers of trainings; trials that were pruned are only parts of one.

    Raises:
        ValueError: if no trial is complete by one of them.
    """
    by_number = {record.number: record for record in records}
    epochs = stored.file.recipe_space().epochs
    chosen = []
    for time in times:
        trial = recommended(stored, first_trainings(records, epochs, time))
        if trial is None:
            raise ValueError(f"none of the first {time} trainings is complete")
        chosen.append(Recommendation.of(by_number[trial], stored.data.input_shape))
    return chosen


def recommended(stored: StoredStudy, records: Sequence[TrialRecord]) -> int | None:
    """Return the number of the trial that a search recommends after these trials.

    It is the first that ``flyweight confirm`` would retrain then.

    Args:
        stored: the study, its storage open.
        records: the trained trials so far, in their order.

    Returns:
        The trial; None where none is complete.
    """
    numbers = {record.number for record in records}
    trials = [trial for trial in stored.study.get_trials(deepcopy=False) if trial.number in numbers]
    return next(iter(best_trials(records, 1, candidates_known(stored, trials))), None)


def first_trainings(
    records: Sequence[TrialRecord], epochs: int, trainings: int
) -> Sequence[TrialRecord]:
    """Return the first trials that together take no longer than so many whole trainings.

    Args:
        records: the trained trials, in their order.
        epochs: of a whole training.
        trainings: how many of them.
    """
    left = trainings * epochs
    for place, record in enumerate(records):
        left -= len(record.epochs)
        if left < 0:
            return records[:place]
    return records

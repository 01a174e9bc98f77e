"""Scores: what samplers and ``confirm`` rank trials by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import log2
from typing import Literal

from search.spec.study_file import StudyFile
from trainer.metrics import floor, tail_mean

__all__ = ["SCORES", "as_begun", "saving", "training_score"]

SCORES: Mapping[str, Callable[[Sequence[float], int], float]] = {
    "mean": tail_mean,
    "floor": floor,
}
"""Every score by the name that study files use: from accuracies and the number of last epochs.

The mean of five epochs is less noisy than the lowest of them.
"""

_LEAST_UNIT = 0.01


def training_score(file: StudyFile, accuracies: Sequence[float], parameters: int) -> float:
    """Return what a complete training is ranked by: the higher the better.

    Where a study asks for the smallest network that holds a target, a training below the target
    counts with its accuracy. From there on the size counts alone: each halving of the limit on
    parameters is worth as much as the way from the target to an accuracy of 1, so that both parts
    of the scale are steep alike and a model of it sees no cliff.

    Args:
        file: the study; one that names no score ranks by the floor.
        accuracies: after each epoch, 0 to 1.
        parameters: trainable parameters of the network.
    """
    statistic = SCORES[file.settings.score or "floor"]
    accuracy = statistic(accuracies, file.settings.floor_epochs)
    target, limit = file.settings.to_hold, file.budget.most_parameters
    if target is None or limit is None or accuracy < target:
        return accuracy
    return target + max(1.0 - target, _LEAST_UNIT) * saving(parameters, limit)


def saving(parameters: int, limit: int) -> float:
    """Return how many times the limit can be halved before it is as small as the network."""
    return log2(limit / max(1, parameters))


def as_begun(file: StudyFile) -> StudyFile:
    """Return the file of a new study, which names what a later version may have another default of.

    That is its score: the mean of the last epochs is less noisy, but it is the floor that is to
    hold a target. And it is the version by which RAM and flash are counted.
    """
    default: Literal["mean", "floor"] = "mean" if file.settings.to_hold is None else "floor"
    score = file.settings.score or default
    settings = replace(file.settings, score=score)
    return replace(file, settings=settings, budget=file.budget.as_begun())

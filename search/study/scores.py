"""Scores: what samplers and ``confirm`` rank trials by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from search.spec.study_file import StudyFile
from trainer.metrics import floor, tail_mean

__all__ = ["SCORES", "score_of", "with_score"]

SCORES: Mapping[str, Callable[[Sequence[float], int], float]] = {
    "mean": tail_mean,
    "floor": floor,
}
"""Every score by the name that study files use: from accuracies and the number of last epochs.

The mean of five epochs is less noisy than the lowest of them.
"""


def score_of(accuracies: Sequence[float], name: str | None, epochs: int) -> float:
    """Return a score.

    Args:
        accuracies: after each epoch, 0 to 1.
        name: of the score; None stands for the floor, by which studies without one rank.
        epochs: how many last epochs it is taken over.
    """
    return SCORES[name or "floor"](accuracies, epochs)


def with_score(file: StudyFile) -> StudyFile:
    """Return the file of a new study, which names a score whatever a later version's default is."""
    return replace(file, settings=replace(file.settings, score=file.settings.score or "mean"))

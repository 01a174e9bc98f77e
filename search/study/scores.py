"""Scores: what samplers and ``confirm`` rank trials by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from trainer.metrics import floor, tail_mean

__all__ = ["NEW_STUDIES", "SCORES"]

SCORES: Mapping[str, Callable[[Sequence[float], int], float]] = {
    "mean": tail_mean,
    "floor": floor,
}
"""Every score by the name that study files use: from accuracies and the number of last epochs.

The mean of five epochs is less noisy than the lowest of them.
"""

NEW_STUDIES: Literal["mean"] = "mean"
"""The score of a new study whose file names none."""

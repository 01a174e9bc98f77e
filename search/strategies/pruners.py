"""Pruners, which decide whether a trial is stopped before its last epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from optuna.pruners import (
    BasePruner,
    HyperbandPruner,
    MedianPruner,
    NopPruner,
    SuccessiveHalvingPruner,
)
from optuna.trial import Trial

__all__ = ["PRUNERS", "Pruner", "make_pruner", "should_prune"]


@dataclass(frozen=True)
class Pruner:
    """A pruner that a study file can name.

    Attributes:
        what: a description of one line.
        make: makes it from the epochs after which it may first stop a trial, and the epochs of a
            trial.
    """

    what: str
    make: Callable[[int, int], BasePruner]


PRUNERS: dict[str, Pruner] = {
    "none": Pruner(
        "trains every trial to its end",
        lambda first, epochs: NopPruner(),
    ),
    "median": Pruner(
        "stops a trial whose best accuracy is below the median of the others at that epoch",
        lambda first, epochs: MedianPruner(n_startup_trials=5, n_warmup_steps=first - 1),
    ),
    "halving": Pruner(
        "lets the best third go on at a few epochs (asynchronous successive halving)",
        lambda first, epochs: SuccessiveHalvingPruner(min_resource=first, reduction_factor=3),
    ),
    "hyperband": Pruner(
        "successive halving that begins later in a part of the trials (Hyperband)",
        lambda first, epochs: HyperbandPruner(
            min_resource=first, max_resource=epochs, reduction_factor=3
        ),
    ),
}
"""Every pruner by the name that study files use; a new one is one more entry."""


def make_pruner(name: str, epochs: int) -> BasePruner:
    """Return the named pruner for trials of ``epochs`` epochs.

    It may stop a trial after a fifth of the epochs at the earliest: a trial that looks worse early
    may win late, and an earlier decision would keep the wrong trials.

    Raises:
        ValueError: if the name is unknown.
    """
    if name not in PRUNERS:
        raise ValueError(f"the pruner {name!r} is not known; give one of {', '.join(PRUNERS)}")
    return PRUNERS[name].make(max(1, epochs // 5), epochs)


def should_prune(trial: Trial, epoch: int, accuracy: float, epochs: int) -> bool:
    """Report an epoch to the study's pruner and return whether the trial is to be stopped now.

    A trial is never stopped after its last epoch: it is complete then.

    Args:
        trial: the trial in training.
        epoch: the epoch that has just ended, from 0.
        accuracy: on the validation images after it, 0 to 1.
        epochs: the number of epochs in a whole training.
    """
    trial.report(accuracy, step=epoch)
    return epoch + 1 < epochs and trial.should_prune()

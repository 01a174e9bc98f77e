"""The samplers and pruners that a study file can name."""

from __future__ import annotations

from optuna.pruners import (
    BasePruner,
    HyperbandPruner,
    MedianPruner,
    NopPruner,
    SuccessiveHalvingPruner,
)
from optuna.samplers import BaseSampler, RandomSampler, TPESampler

__all__ = ["PRUNERS", "SAMPLERS", "make_pruner", "make_sampler"]

SAMPLERS = ("random", "tpe")
PRUNERS = ("none", "median", "halving", "hyperband")


def make_sampler(name: str, seed: int) -> BaseSampler:
    """Returns the named sampler.

    Raises:
        ValueError: if there is none of that name.
    """
    match name:
        case "random":
            return RandomSampler(seed=seed)
        case "tpe":
            return TPESampler(seed=seed)
    raise ValueError(f"no sampler {name!r}; known: {', '.join(SAMPLERS)}")


def make_pruner(name: str, epochs: int) -> BasePruner:
    """Returns the named pruner for runs of ``epochs`` epochs.

    The first rung stands at a fifth of the epochs: a schedule that looks worse early may win late,
    and a shorter look would keep the wrong runs.

    Raises:
        ValueError: if there is none of that name.
    """
    first_rung = max(1, epochs // 5)
    match name:
        case "none":
            return NopPruner()
        case "median":
            return MedianPruner(n_startup_trials=5, n_warmup_steps=first_rung - 1)
        case "halving":
            return SuccessiveHalvingPruner(min_resource=first_rung, reduction_factor=3)
        case "hyperband":
            return HyperbandPruner(min_resource=first_rung, max_resource=epochs, reduction_factor=3)
    raise ValueError(f"no pruner {name!r}; known: {', '.join(PRUNERS)}")

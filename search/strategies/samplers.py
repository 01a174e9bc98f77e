"""Samplers, which propose the next candidate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from optuna.samplers import BaseSampler, RandomSampler, TPESampler

__all__ = ["SAMPLERS", "Sampler", "make_sampler"]


@dataclass(frozen=True)
class Sampler:
    """A sampler that a study file can name.

    Attributes:
        what: a description of one line.
        make: makes it from a seed, 0 to 2**32 - 1.
    """

    what: str
    make: Callable[[int], BaseSampler]


SAMPLERS: dict[str, Sampler] = {
    "random": Sampler(
        "draws every candidate at random",
        lambda seed: RandomSampler(seed=seed),
    ),
    "tpe": Sampler(
        "draws candidates that resemble the best so far (tree-structured Parzen estimator)",
        lambda seed: TPESampler(seed=seed),
    ),
}
"""Every sampler by the name that study files use; a new one is one more entry."""


def make_sampler(name: str, seed: int) -> BaseSampler:
    """Return the named sampler.

    Raises:
        ValueError: if the name is unknown.
    """
    if name not in SAMPLERS:
        raise ValueError(f"the sampler {name!r} is not known; give one of {', '.join(SAMPLERS)}")
    return SAMPLERS[name].make(seed)

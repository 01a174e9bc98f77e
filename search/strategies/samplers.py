"""Samplers, which propose the next candidate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from optuna.samplers import BaseSampler, RandomSampler, TPESampler

from search.strategies.ageing import AgeingEvolution
from search.strategies.by_limit import ByLimit
from search.strategies.by_score import ByScore
from search.strategies.counted import Counted
from search.strategies.evolution import Evolution
from search.strategies.problem import Problem
from search.strategies.repaired_tpe import RepairedTPE
from search.strategies.strategy import Strategy

__all__ = ["SAMPLERS", "Sampler", "make_sampler"]


@dataclass(frozen=True)
class Sampler:
    """A sampler that a study file can name.

    Attributes:
        what: a description of one line.
        make: makes it from a seed, 0 to 2**32 - 1, and the study as far as it is known.
    """

    what: str
    make: Callable[[int, Problem | None], BaseSampler]


SAMPLERS: dict[str, Sampler] = {
    "random": Sampler(
        "draws every candidate at random",
        lambda seed, problem: RandomSampler(seed=seed),
    ),
    "tpe": Sampler(
        "draws candidates that resemble the best so far (tree-structured Parzen estimator)",
        lambda seed, problem: TPESampler(seed=seed),
    ),
    "tpe-repaired": Sampler(
        "the same, with all widths moved to the limits of the budget",
        RepairedTPE,
    ),
    "ageing": Sampler(
        "changes good candidates at random and forgets old ones (regularised evolution)",
        AgeingEvolution,
    ),
    "evolution": Sampler(
        "changes good candidates as a model of all scores promises, then repeats the best",
        Evolution,
    ),
}
"""Every sampler by the name that study files use; a new one is one more entry."""


def make_sampler(name: str, seed: int, problem: Problem | None = None) -> BaseSampler:
    """Return the named sampler. It ranks trials by their scores, where they have any.

    Args:
        name: one of ``SAMPLERS``.
        seed: 0 to 2**32 - 1.
        problem: the study, as far as it is known.

    Raises:
        ValueError: if the name is unknown.
    """
    if name not in SAMPLERS:
        raise ValueError(f"the sampler {name!r} is not known; give one of {', '.join(SAMPLERS)}")
    sampler: BaseSampler
    if problem is not None and problem.limits:
        sampler = ByLimit(partial(_ranking, name), seed, problem)
    else:
        sampler = _ranking(name, seed, problem)
    if problem is not None and problem.candidates is not None:
        sampler = Counted(sampler, problem, seed)
    return sampler


def _ranking(name: str, seed: int, problem: Problem | None) -> BaseSampler:
    """Return the named sampler for one limit, ranking by scores."""
    sampler = SAMPLERS[name].make(seed, problem)
    return sampler if isinstance(sampler, ByScore | Strategy) else ByScore(sampler)

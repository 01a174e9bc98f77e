"""From judged recommendations to curves: means, standard errors, differences, trainings saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from statistics import fmean, stdev

__all__ = ["Curve", "Difference", "curve_of", "difference_of", "resolvable"]


@dataclass(frozen=True)
class Curve:
    """What a strategy's recommendations are worth after each number of trainings.

    Accuracies are from 0 to 1. What needs two runs or more is None where there are fewer.

    Attributes:
        runs: how many are in it.
        means: of the judged accuracies, over the runs.
        errors: standard errors of the means.
        reaches: trainings after which the mean is what the baseline's is at the end, between two
            judged numbers by interpolation; None if it never is.
    """

    runs: int
    means: tuple[float, ...]
    errors: tuple[float | None, ...]
    reaches: float | None


@dataclass(frozen=True)
class Difference:
    """How much better a strategy's recommendations are than another's, by number of trainings.

    Attributes:
        pairs: of runs with the same seed, which begin alike and train with the same seeds.
        means: of the differences in accuracy (0 to 1) over the pairs.
        errors: standard errors of the means; None for a single pair.
    """

    pairs: int
    means: tuple[float, ...]
    errors: tuple[float | None, ...]


def curve_of(
    times: Sequence[int],
    judged: Mapping[int, Sequence[float]],
    baseline: Mapping[int, Sequence[float]],
) -> Curve:
    """Put a strategy's runs together.

    Args:
        times: numbers of trainings, ascending.
        judged: for each seed the judged accuracies of a run, one for each of the times; one run or
            more.
        baseline: the same of the baseline, whose last mean is to be reached; may be empty.
    """
    columns = list(zip(*judged.values(), strict=True))
    means = tuple(map(fmean, columns))
    goal = fmean(values[-1] for values in baseline.values()) if baseline else None
    return Curve(
        runs=len(judged),
        means=means,
        errors=tuple(map(_error, columns)),
        reaches=None if goal is None else _reaches(times, means, goal),
    )


def difference_of(
    ours: Mapping[int, Sequence[float]], theirs: Mapping[int, Sequence[float]]
) -> Difference | None:
    """Compare two strategies in pairs of runs with the same seed; None where there is no pair.

    Args:
        ours: for each seed the judged accuracies of a run, one for each number of trainings.
        theirs: the same of the strategy that is compared with.
    """
    gaps = [
        [mine - other for mine, other in zip(ours[seed], theirs[seed], strict=True)]
        for seed in sorted(ours.keys() & theirs.keys())
    ]
    if not gaps:
        return None
    columns = list(zip(*gaps, strict=True))
    return Difference(len(gaps), tuple(map(fmean, columns)), tuple(map(_error, columns)))


def resolvable(values: Sequence[float], runs: int) -> float | None:
    """Return the difference of two strategies that so many runs of each can show.

    It is two standard errors of the difference, were the runs of either independent and spread as
    these are.

    Args:
        values: judged accuracies of some runs of one strategy after the same number of trainings.
        runs: of each strategy.

    Returns:
        The difference; None for fewer than two values.
    """
    return None if len(values) < 2 else 2 * sqrt(2 / runs) * stdev(values)


def _error(values: Sequence[float]) -> float | None:
    return None if len(values) < 2 else stdev(values) / sqrt(len(values))


def _reaches(times: Sequence[int], means: Sequence[float], goal: float) -> float | None:
    if means[0] >= goal:
        return float(times[0])
    points = list(zip(times, means, strict=True))
    for (before, low), (after, high) in pairwise(points):
        if high >= goal:
            return before + (after - before) * (goal - low) / (high - low)
    return None

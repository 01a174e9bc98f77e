"""Statistics over several runs of the same training."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Spread", "rank_correlation"]


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation of a figure over several runs.

    Attributes:
        mean: of all runs.
        deviation: of a sample, with n - 1 degrees of freedom; None for a single run.
        n: how many runs.
    """

    mean: float
    deviation: float | None
    n: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Return the spread of one value or more.

        Raises:
            ValueError: if there is no value.
        """
        known = list(values)
        if not known:
            raise ValueError("a mean needs at least one value")
        deviation = statistics.stdev(known) if len(known) > 1 else None
        return cls(statistics.fmean(known), deviation, len(known))

    def deviation_text(self, factor: float = 100.0) -> str:
        """Return the deviation as text that follows a mean, such as `` ± 0.12``.

        Args:
            factor: what the deviation is multiplied by, 100 for per cent.

        Returns:
            An empty string for a single run.
        """
        return "" if self.deviation is None else f" ± {factor * self.deviation:.2f}"


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Return Spearman's rank correlation of two figures of the same things, -1 to 1.

    Equal values share the mean of their ranks.

    Args:
        first: one figure of each.
        second: the other figure, in the same order.

    Returns:
        The correlation; None for fewer than three things, or where a figure is the same for all.
    """
    if len(first) < 3 or len(set(first)) == 1 or len(set(second)) == 1:
        return None
    return statistics.correlation(_ranks(first), _ranks(second))


def _ranks(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    places = {value: ordered.index(value) for value in set(values)}
    return [places[value] + (ordered.count(value) - 1) / 2 for value in values]

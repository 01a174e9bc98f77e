"""Figures over several runs of the same training."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Spread"]


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
        """Summarise one value or more.

        Raises:
            ValueError: if there is no value.
        """
        known = list(values)
        if not known:
            raise ValueError("no values, so no mean")
        deviation = statistics.stdev(known) if len(known) > 1 else None
        return cls(statistics.fmean(known), deviation, len(known))

    def deviation_text(self, factor: float = 100.0) -> str:
        """Return the deviation as it stands behind a mean, such as `` ± 0.12``.

        Args:
            factor: what both are multiplied with, 100 for per cent.

        Returns:
            An empty text for a single run.
        """
        return "" if self.deviation is None else f" ± {factor * self.deviation:.2f}"

"""Statistics over several runs of the same training."""

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

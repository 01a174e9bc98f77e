"""Why candidates were rejected: by which limits, and what would help."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from optuna.trial import FrozenTrial

from search.spec.budget import LIMIT_WORDS
from search.study.records import Outcome
from search.text import percent_share

__all__ = ["RejectionCounts", "count_rejections"]

_MANY = 0.9

_WAYS_OUT = {
    "parameters": (
        "raise budget.parameters, or allow smaller widths, fewer convolutions or separable blocks"
    ),
    "macs": "raise budget.macs, or allow smaller widths, more pools or separable blocks",
    "activation": (
        "raise budget.activation_kib, or allow smaller widths in the first layers, whose maps are "
        "the largest"
    ),
    "ram": (
        "raise budget.ram_kib, or allow smaller widths in the first layers and an earlier pool or "
        "stride"
    ),
    "flash": "raise budget.flash_kib, or allow smaller widths and fewer layers",
    "shape": 'allow fewer stages or convolutions, smaller kernels, or padding = "same"',
}


@dataclass(frozen=True)
class RejectionCounts:
    """How many of a study's candidates were rejected, and why.

    Attributes:
        candidates: that were drawn, rejected ones included.
        rejected: that did not fit.
        limits: how many of the rejected broke each limit, the most frequent first; a candidate
            may break several.
    """

    candidates: int
    rejected: int
    limits: Mapping[str, int]

    @property
    def share(self) -> float:
        """Return the rejected candidates' share of all, 0 to 1."""
        return self.rejected / self.candidates if self.candidates else 0.0

    def reasons(self) -> str:
        """Return the limits with their shares of the rejected, in words; empty if there are none.

        An example is ``parameters 80 %, activation memory 35 %``.
        """
        return ", ".join(
            f"{LIMIT_WORDS[name]} {percent_share(count / self.rejected)}"
            for name, count in self.limits.items()
        )

    def advice(self) -> str:
        """Return what would help where nearly all are rejected, in words; else an empty text."""
        if self.share <= _MANY or not self.limits:
            return ""
        most = next(iter(self.limits))
        return (
            f"{percent_share(self.share)} of the candidates were rejected, most of them by "
            f"{LIMIT_WORDS[most]}; {_WAYS_OUT[most]}"
        )


def count_rejections(trials: Iterable[FrozenTrial]) -> RejectionCounts:
    """Count the rejected candidates of a study's trials, and the limits that they broke."""
    candidates = rejected = 0
    limits = dict.fromkeys(LIMIT_WORDS, 0)
    for trial in trials:
        if "cost" not in trial.user_attrs:
            continue
        candidates += 1
        if trial.user_attrs.get("outcome") != Outcome.REJECTED:
            continue
        rejected += 1
        for name, over in trial.constraints.items():
            if over > 0 and name in limits:
                limits[name] += 1
    broken = sorted(limits.items(), key=lambda pair: -pair[1])
    return RejectionCounts(candidates, rejected, {name: n for name, n in broken if n})

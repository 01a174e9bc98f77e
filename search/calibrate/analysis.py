"""What the trainings of a calibration say of a study's noise and of its early epochs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from math import sqrt
from statistics import median, variance
from typing import Any

from search.calibrate.records import CandidateTraining
from search.statistics import rank_correlation
from trainer.loop import Epoch

__all__ = ["ENOUGH", "STATISTICS", "Calibration", "Noise", "analyse"]

ENOUGH = 0.7
"""The rank correlation with the end from which on an early figure may decide on a trial."""

_LAST = 5

STATISTICS: Mapping[str, Callable[[Sequence[Epoch]], list[float]]] = {
    "accuracy": lambda epochs: [epoch.accuracy for epoch in epochs],
    "loss": lambda epochs: [-epoch.loss for epoch in epochs],
    "summed loss": lambda epochs: [-total for total in accumulate(epoch.loss for epoch in epochs)],
}
"""What is known of a training after each epoch, by name; more is better.

Losses are those of training. Their sums are after Ru et al., "Speedy Performance Estimation for
Neural Architecture Search", arXiv 2006.04492.
"""


@dataclass(frozen=True)
class Noise:
    """What trainings of one candidate differ by that have nothing but another seed.

    Attributes:
        floor: standard deviation of the validation floor, 0 to 1.
        mean: standard deviation of the mean validation accuracy of the last epochs.
        candidates: of how many candidates these are the median.
        seeds: of each candidate at most.
    """

    floor: float
    mean: float
    candidates: int
    seeds: int

    @property
    def difference(self) -> float:
        """Return by how much two floors must differ to mean anything, 0 to 1.

        It is twice the standard deviation of the difference of two trainings.
        """
        return 2 * sqrt(2) * self.floor


@dataclass(frozen=True, repr=False)
class Calibration:
    """The result of a calibration.

    Attributes:
        study: name of the study, by whose file it was made.
        candidates: that were trained, failed ones included.
        failed: how many of them failed.
        trainings: of all candidates and seeds.
        floor_epochs: of the study.
        last_epochs: over which the mean of the last epochs is taken: five, or all of fewer.
        noise: by how much seeds differ; None before a candidate has had two more seeds.
        correlations: for each of :data:`STATISTICS` the rank correlation (Spearman) with the
            floor, after each epoch, over the candidates; None where all are equal or too few.
        first_rung: after so many epochs the best of the statistics first reaches :data:`ENOUGH`;
            None if none does before the end.
        rung_statistic: which one that is.
    """

    study: str
    candidates: int
    failed: int
    trainings: int
    floor_epochs: int
    last_epochs: int
    noise: Noise | None
    correlations: Mapping[str, tuple[float | None, ...]]
    first_rung: int | None
    rung_statistic: str | None

    def __repr__(self) -> str:
        sd = "unknown" if self.noise is None else f"{100 * self.noise.floor:.2f} points"
        rung = "none" if self.first_rung is None else f"{self.first_rung} epochs"
        return f"calibration of {self.study}: seeds differ by {sd}; first rung: {rung}"

    @property
    def difference(self) -> float | None:
        """Return by how much two floors must differ to mean anything, 0 to 1."""
        return None if self.noise is None else self.noise.difference

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {**asdict(self), "difference": self.difference}


def analyse(study: str, floor_epochs: int, trainings: Sequence[CandidateTraining]) -> Calibration:
    """Work out a calibration.

    Args:
        study: name of the study.
        floor_epochs: of the study.
        trainings: that there are, at least one.
    """
    first = [training for training in trainings if training.repeat == 0]
    ended = [training for training in first if not training.failure]
    epochs = max(len(training.epochs) for training in trainings)
    last = min(_LAST, epochs)
    floors = [training.floor(floor_epochs) for training in ended]
    correlations = {}
    for name, statistic in STATISTICS.items():
        columns = zip(*(statistic(training.epochs) for training in ended), strict=True)
        correlations[name] = tuple(rank_correlation(column, floors) for column in columns)
    rung, by = _first_rung(correlations)
    return Calibration(
        study=study,
        candidates=len(first),
        failed=len(first) - len(ended),
        trainings=len(trainings),
        floor_epochs=floor_epochs,
        last_epochs=last,
        noise=_noise(trainings, floor_epochs, last),
        correlations=correlations,
        first_rung=rung,
        rung_statistic=by,
    )


def _first_rung(
    correlations: Mapping[str, Sequence[float | None]],
) -> tuple[int | None, str | None]:
    columns = zip(*correlations.values(), strict=True)
    for number, column in enumerate(list(columns)[:-1], 1):  # at the last epoch all is known
        known = [(value, name) for name, value in zip(correlations, column, strict=True)]
        best, by = max(
            ((value, name) for value, name in known if value is not None), default=(0, "")
        )
        if best >= ENOUGH:
            return number, by
    return None, None


def _median_share(seeds: int) -> float:
    """Return the median of a variance over so many seeds, 2 or more, as a share of its mean.

    For normal figures, by the approximation of Wilson and Hilferty (1931) to chi-squared.
    """
    return float((1 - 2 / (9 * (seeds - 1))) ** 3)


def _noise(trainings: Sequence[CandidateTraining], floor_epochs: int, last: int) -> Noise | None:
    """Take the middle one of the deviations of the candidates with more seeds.

    A single candidate that trains badly with some seeds would raise a mean for all of them. Their
    first training does not count: it is why they were chosen, so it is better than usual.
    """
    groups: dict[int, list[CandidateTraining]] = defaultdict(list)
    for training in trainings:
        if training.repeat and not training.failure:
            groups[training.candidate].append(training)
    repeated = [group for group in groups.values() if len(group) > 1]
    if not repeated:
        return None

    def deviation(figure: Callable[[CandidateTraining], float]) -> float:
        return sqrt(
            median(variance(map(figure, group)) / _median_share(len(group)) for group in repeated)
        )

    return Noise(
        floor=deviation(lambda training: training.floor(floor_epochs)),
        mean=deviation(lambda training: training.mean(last)),
        candidates=len(repeated),
        seeds=max(map(len, repeated)),
    )

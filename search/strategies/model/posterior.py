"""What is known of each candidate after all its trainings: mean and standard deviation."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.strategies.model.gaussian_process import Cells, GaussianModel, Points, Scales, fit

__all__ = ["Estimate", "Judgement", "Place", "Posterior", "Running", "estimates", "likely_scales"]

Array = NDArray[np.float64]

MOST_CANDIDATES = 300
"""The model holds no more: the best two thirds, and a third spread evenly over the others."""

MOST_FITTED = 150
"""The scales are fitted to no more candidates, chosen in the same way."""

_LOW_TAIL = 3.0
"""Scores farther below the best than this many times the median are moved up to there.

How badly a network failed says nothing about differences among good ones.
"""

_LEAST_SPREAD = 0.02
"""A feature that varies by less than this share of its mean is not stretched to full weight."""


@dataclass(frozen=True)
class Place:
    """Where a candidate stands among others.

    Attributes:
        features: as in ``Proposal.features``.
        genes: as ``Genes.encode`` writes them.
    """

    features: tuple[float, ...] = ()
    genes: tuple[float, ...] = ()


@dataclass(frozen=True)
class Judgement:
    """The score of one complete training.

    Attributes:
        key: of the candidate.
        score: the higher the better; finite.
        fold: the number of the fold on which it was judged.
    """

    key: str
    score: float
    fold: int = 0


@dataclass(frozen=True)
class Running:
    """A training whose score is not known yet.

    Attributes:
        key: of the candidate.
        place: where it stands.
        fold: the number of the fold on which it will be judged.
    """

    key: str
    place: Place
    fold: int = 0


@dataclass(frozen=True)
class Estimate:
    """What is known of a candidate.

    Attributes:
        mean: its expected score on an average fold.
        deviation: standard deviation of the mean, apart from what all candidates share.
        repeats: how many trainings were judged.
    """

    mean: float
    deviation: float
    repeats: int


def estimates(
    judgements: Sequence[Judgement], places: Mapping[str, Place] | None = None
) -> dict[str, Estimate]:
    """Return what is known of each candidate.

    With many trainings the mean tends to the candidate's own mean, corrected for the difficulty of
    its folds; with one it is drawn towards what its neighbours say.

    Args:
        judgements: the scores of complete trainings, in any order.
        places: by key, with the same count of features and of genes for all. Where one is missing,
            no candidate has neighbours.

    Raises:
        ValueError: a score is not finite.
    """
    if not judgements:
        return {}
    ordered = sorted(judgements, key=lambda each: (each.key, each.fold, each.score))
    scales = likely_scales(ordered, places or {})
    return Posterior(ordered, places or {}, scales).estimates()


def likely_scales(judgements: Sequence[Judgement], places: Mapping[str, Place]) -> Scales:
    """Return the likeliest scales of the model; the slow part of it.

    Raises:
        ValueError: there is no score, or one is not finite.
    """
    scores = _Scores(judgements)
    keys = scores.spread(MOST_FITTED)
    view = _View(keys, places, scores.keys)
    return fit(view.points([_place(places, key) for key in keys]), scores.cells(keys))


class Posterior:
    """The model of the candidates, after their scores were seen.

    Args:
        judgements: the scores, at least one.
        places: see ``estimates``.
        scales: of the model.

    Attributes:
        keys: of the candidates in the model.

    Raises:
        ValueError: there is no score, or one is not finite.
    """

    def __init__(
        self, judgements: Sequence[Judgement], places: Mapping[str, Place], scales: Scales
    ) -> None:
        self._scores = _Scores(judgements)
        self._places = places
        self.keys = self._scores.spread(MOST_CANDIDATES)
        self._view = _View(self.keys, places, self._scores.keys)
        points = self._view.points([_place(places, key) for key in self.keys])
        self._model = GaussianModel(points, self._scores.cells(self.keys), scales)

    def add_running(self, running: Sequence[Running]) -> None:
        """Count trainings whose scores are not known yet as if they had the expected scores."""
        if not running:
            return
        rows = {key: row for row, key in enumerate(self.keys)}
        added = [each for each in running if each.key not in rows]
        added = list({each.key: each for each in added}.values())
        self.keys = [*self.keys, *(each.key for each in added)]
        rows = {key: row for row, key in enumerate(self.keys)}
        places = [each.place for each in added]
        points = self._view.points(places) if places else self._model.points.first(0)
        expected = np.concatenate([self._model.mean, self._model.expect(points)[0]])
        candidate = np.array([rows[each.key] for each in running])
        folds = np.array([each.fold for each in running])
        means = expected[candidate] + np.array([self._model.difficulty(fold) for fold in folds])
        self._model = self._model.extended(points, candidate, folds, means)

    def estimates(self) -> dict[str, Estimate]:
        """Return what is known of each candidate that was judged or runs."""
        covariance = self._model.covariance
        # What all share, as the difficulty of the fold that all were judged on, cancels.
        shared = covariance.mean(1)
        variances = np.diag(covariance) - 2.0 * shared + shared.mean()
        found = {
            key: self._estimate(key, float(mean), float(variance))
            for key, mean, variance in zip(self.keys, self._model.mean, variances, strict=True)
        }
        others = [key for key in self._scores.keys if key not in found]
        if others:
            found.update(self._outside(others))
        return found

    def draw(self, places: Sequence[Place], rng: np.random.Generator) -> Array:
        """Draw what candidates at these places may score, jointly, from the posterior."""
        return self._model.draw(self._view.points(places), rng)

    def _estimate(self, key: str, mean: float, variance: float) -> Estimate:
        scores = self._scores
        own = scores.low_mean(key)
        return Estimate(
            scores.centre + scores.unit * mean if own is None else own,
            scores.unit * math.sqrt(max(variance, 0.0)),
            scores.repeats(key),
        )

    def _outside(self, keys: list[str]) -> dict[str, Estimate]:
        """Return what is known of candidates that are not in the model, each by itself."""
        points = self._view.points([_place(self._places, key) for key in keys])
        expected, spread = self._model.expect(points)
        cells, scales = self._scores.cells(keys), self._model.scales
        found = {}
        for row, key in enumerate(keys):
            own = cells.candidate == row
            noise = scales.seed / cells.count[own] + scales.fold
            known = 1.0 / (spread[row] + scales.own)
            total = known + float((1.0 / noise).sum())
            mean = (expected[row] * known + float((cells.mean[own] / noise).sum())) / total
            found[key] = self._estimate(key, mean, 1.0 / total)
        return found


class _Scores:
    """All scores by candidate and fold, and the unit in which the model has them."""

    def __init__(self, judgements: Sequence[Judgement]) -> None:
        if not judgements:
            raise ValueError("a posterior needs at least one score")
        self._all: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
        for each in judgements:
            if not math.isfinite(each.score):
                raise ValueError(f"a score of the candidate {each.key!r} is {each.score}")
            self._all[each.key][each.fold].append(each.score)
        means = {key: statistics.fmean(self._of(key)) for key in self._all}
        self._means = means
        self.keys = sorted(means, key=lambda key: (-means[key], key))
        best, middle = means[self.keys[0]], statistics.median(means.values())
        self._low = best - _LOW_TAIL * (best - middle) if best > middle else -math.inf
        clipped = [max(mean, self._low) for mean in means.values()]
        self.centre = statistics.fmean(clipped)
        spread = statistics.pstdev(clipped)
        least = 1e-12 * max(1.0, abs(self.centre))
        if spread <= least:
            spread = statistics.pstdev([each.score for each in judgements])
        self.unit = spread if spread > least else 1.0

    def _of(self, key: str) -> list[float]:
        return [score for scores in self._all[key].values() for score in scores]

    def repeats(self, key: str) -> int:
        """Return how many scores a candidate has."""
        return len(self._of(key)) if key in self._all else 0

    def low_mean(self, key: str) -> float | None:
        """Return the mean of a candidate that is too bad for the model; None for the others."""
        mean = self._means.get(key, math.inf)
        return mean if mean < self._low else None

    def spread(self, most: int) -> list[str]:
        """Return the keys that inform most: the best, and others over the whole range."""
        if len(self.keys) <= most:
            return list(self.keys)
        best = 2 * most // 3
        rest = np.linspace(best, len(self.keys) - 1, most - best).round().astype(int)
        return self.keys[:best] + [self.keys[int(index)] for index in rest]

    def cells(self, keys: Sequence[str]) -> Cells:
        """Return the scores of these candidates in the model's unit."""
        rows = []
        for row, key in enumerate(keys):
            for fold, scores in sorted(self._all[key].items()):
                values = (np.maximum(scores, self._low) - self.centre) / self.unit
                squares = float(((values - values.mean()) ** 2).sum())
                rows.append((row, fold, float(values.mean()), len(scores), squares))
        candidate, fold_of, mean, count, squares_of = zip(*rows, strict=True)
        return Cells(
            np.array(candidate),
            np.array(fold_of),
            np.array(mean),
            np.array(count, dtype=np.float64),
            np.array(squares_of),
        )


class _View:
    """How places become points: features in units of their spread over the candidates."""

    def __init__(
        self, keys: Sequence[str], places: Mapping[str, Place], judged: Sequence[str]
    ) -> None:
        self._blind = not all(key in places for key in judged)
        features = np.array([_place(places, key).features for key in keys if not self._blind])
        if features.size:
            self._middle = features.mean(0)
            least = np.maximum(_LEAST_SPREAD * np.abs(self._middle), 1e-9)
            self._unit = np.maximum(features.std(0), least)

    def points(self, places: Sequence[Place]) -> Points:
        """Return the rows of the model for these places."""
        if self._blind:
            count = len(places)
            return Points(np.zeros((count, 0)), np.zeros((count, 0)))
        features = np.array([place.features for place in places], dtype=np.float64)
        if features.size:
            features = (features - self._middle) / self._unit
        return Points(features, np.array([place.genes for place in places], dtype=np.float64))


def _place(places: Mapping[str, Place], key: str) -> Place:
    return places.get(key, Place())

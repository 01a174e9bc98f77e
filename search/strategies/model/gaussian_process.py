"""A Gaussian model of what candidates score, with their seeds and folds.

The score of a training is the sum of four independent parts: a smooth function of the candidate's
features and genes (Gaussian process, Matérn 5/2), the candidate's own deviation from it, the
difficulty of the fold on which it was judged, and the noise of the seed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["Cells", "GaussianModel", "Points", "Scales", "fit"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

_JITTER = 1e-8


@dataclass(frozen=True)
class Scales:
    """The scales of the model, in units of the standardised scores.

    Attributes:
        features: length over which the smooth part changes along the features.
        genes: the same along the genes.
        smooth: variance of the smooth part.
        own: variance of a candidate's own deviation from it.
        fold: variance of the difficulty of folds.
        seed: variance between trainings of one candidate on one fold.
    """

    features: float = 2.0
    genes: float = 1.0
    smooth: float = 0.6
    own: float = 0.1
    fold: float = 0.05
    seed: float = 0.3


_PRIOR = Scales()
_PRIOR_WIDTH = Scales(features=0.7, genes=0.7, smooth=1.0, own=1.0, fold=1.0, seed=1.5)
"""Standard deviation of the logarithm of each scale around ``_PRIOR``, before any score is seen."""


@dataclass(frozen=True)
class Points:
    """Where candidates are: one row each.

    Attributes:
        features: standardised; may have no columns.
        genes: from 0 to 1; may have no columns.
    """

    features: Array
    genes: Array

    def __len__(self) -> int:
        return len(self.genes)

    def first(self, count: int) -> Points:
        """Return the first rows."""
        return Points(self.features[:count], self.genes[:count])


@dataclass(frozen=True)
class Cells:
    """Scores, summed up by candidate and fold.

    Attributes:
        candidate: the row of each cell's candidate.
        fold: the number of its fold.
        mean: of its scores.
        count: how many scores.
        squares: the sum of squared differences from the mean.
    """

    candidate: Indices
    fold: Indices
    mean: Array
    count: Array
    squares: Array


def _squared(a: Array, b: Array) -> Array:
    """Return the squared distances between rows, averaged over the columns."""
    if not a.shape[1]:
        return np.zeros((len(a), len(b)))
    sums = (a * a).sum(1)[:, None] + (b * b).sum(1)[None, :] - 2.0 * a @ b.T
    return np.asarray(np.maximum(sums, 0.0) / a.shape[1], dtype=np.float64)


def _matern(features: Array, genes: Array, scales: Scales) -> Array:
    """Return the covariance of the smooth part from squared distances."""
    r = np.sqrt(5.0 * (features / scales.features**2 + genes / scales.genes**2))
    return np.asarray(scales.smooth * (1.0 + r + r * r / 3.0) * np.exp(-r), dtype=np.float64)


def _covariance(values: Array, cells: Cells, scales: Scales) -> Array:
    """Return the covariance of the cells' means from that of the candidates' values."""
    matrix = values[np.ix_(cells.candidate, cells.candidate)]
    matrix = matrix + scales.fold * (cells.fold[:, None] == cells.fold[None, :])
    matrix[np.diag_indices(len(matrix))] += scales.seed / cells.count + _JITTER
    return np.asarray(matrix, dtype=np.float64)


def fit(points: Points, cells: Cells) -> Scales:
    """Return the likeliest scales, given the scores and a wide prior.

    The search is a pattern search from fixed steps, so that it is repeatable.
    """
    features, genes = (
        _squared(points.features, points.features),
        _squared(points.genes, points.genes),
    )
    names = [each.name for each in fields(Scales)]
    if not points.features.shape[1]:
        names.remove("features")
    if not points.genes.shape[1]:
        names.remove("genes")
    if len(set(cells.fold.tolist())) == 1:
        names.remove("fold")

    def badness(scales: Scales) -> float:
        values = _matern(features, genes, scales)
        values[np.diag_indices(len(values))] += scales.own
        lower = np.linalg.cholesky(_covariance(values, cells, scales))
        white = np.linalg.solve(lower, cells.mean)
        fitted = float(white @ white) + 2.0 * float(np.log(np.diag(lower)).sum())
        within = float(((cells.count - 1) * math.log(scales.seed)).sum())
        within += float(cells.squares.sum()) / scales.seed
        prior = sum(
            (math.log(getattr(scales, name) / getattr(_PRIOR, name)) / getattr(_PRIOR_WIDTH, name))
            ** 2
            for name in names
        )
        return float(fitted + within + prior)

    best, least = _PRIOR, badness(_PRIOR)
    for factor in (4.0, 2.0, 1.4):
        for _ in range(2):
            moved = False
            for name in names:
                for ratio in (factor, 1.0 / factor):
                    trial = replace(best, **{name: getattr(best, name) * ratio})
                    if (found := badness(trial)) < least - 1e-3:
                        best, least, moved = trial, found, True
                        break
            if not moved:
                break
    return best


class GaussianModel:
    """The model after some scores were seen.

    Args:
        points: of the candidates that were judged.
        cells: their scores.
        scales: of the model.
    """

    def __init__(self, points: Points, cells: Cells, scales: Scales) -> None:
        self.points, self.cells, self.scales = points, cells, scales
        values = self._smooth(points, points)
        values[np.diag_indices(len(values))] += scales.own
        self._values = values
        lower = np.linalg.cholesky(_covariance(values, cells, scales))
        # One inverse serves every later product, and the matrices are small.
        self._whiten = np.linalg.inv(lower)
        self._weights = self._whiten.T @ (self._whiten @ cells.mean)

    def _smooth(self, a: Points, b: Points) -> Array:
        features, genes = _squared(a.features, b.features), _squared(a.genes, b.genes)
        return _matern(features, genes, self.scales)

    @cached_property
    def mean(self) -> Array:
        """The expected value of each judged candidate."""
        return np.asarray(self._values[:, self.cells.candidate] @ self._weights)

    @cached_property
    def covariance(self) -> Array:
        """The covariance of the values of the judged candidates."""
        white = self._whiten @ self._values[self.cells.candidate]
        return np.asarray(self._values - white.T @ white)

    def difficulty(self, fold: int) -> float:
        """Return how much more than on an average fold is expected on this one."""
        return float(self.scales.fold * self._weights[self.cells.fold == fold].sum())

    def expect(self, points: Points) -> tuple[Array, Array]:
        """Return the mean and the variance of the smooth part at other points."""
        across = self._smooth(points, self.points)[:, self.cells.candidate]
        white = self._whiten @ across.T
        variance = self.scales.smooth - (white * white).sum(0)
        return across @ self._weights, np.maximum(variance, 0.0)

    def draw(self, points: Points, rng: np.random.Generator) -> Array:
        """Draw the smooth part at other points from the posterior, jointly."""
        across = self._smooth(points, self.points)[:, self.cells.candidate]
        white = self._whiten @ across.T
        covariance = self._smooth(points, points) - white.T @ white
        return across @ self._weights + _draw(covariance, rng)

    def extended(
        self, points: Points, candidate: Indices, fold: Indices, scores: Array
    ) -> GaussianModel:
        """Return the model after more scores.

        Args:
            points: of further candidates, whose rows follow those there are.
            candidate: the row of the candidate of each score.
            fold: the fold of each score.
            scores: as many.
        """
        cells, ones = self.cells, np.ones(len(scores))
        return GaussianModel(
            Points(
                np.concatenate([self.points.features, points.features]),
                np.concatenate([self.points.genes, points.genes]),
            ),
            Cells(
                np.concatenate([cells.candidate, candidate]),
                np.concatenate([cells.fold, fold]),
                np.concatenate([cells.mean, scores]),
                np.concatenate([cells.count, ones]),
                np.concatenate([cells.squares, 0.0 * ones]),
            ),
            self.scales,
        )


def _draw(covariance: Array, rng: np.random.Generator) -> Array:
    matrix = (covariance + covariance.T) / 2
    jitter = 1e-6 * max(float(np.diag(matrix).mean()), _JITTER)
    normal = rng.standard_normal(len(matrix))
    while True:
        try:
            padded = matrix + jitter * np.eye(len(matrix))
            return np.asarray(np.linalg.cholesky(padded) @ normal, dtype=np.float64)
        except np.linalg.LinAlgError:
            jitter *= 10.0

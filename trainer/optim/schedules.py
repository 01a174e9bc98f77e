"""Learning rate and momentum at every step of a training run."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi

from trainer.recipe import Recipe

__all__ = ["Rates", "rates_at"]

_START_DIVISOR = 25.0
_END_DIVISOR = 1e4
_MOMENTUM_LOW, _MOMENTUM_HIGH = 0.85, 0.95


@dataclass(frozen=True)
class Rates:
    """What the optimizer uses in one step."""

    learning_rate: float
    momentum: float


def rates_at(recipe: Recipe, step: int, steps_per_epoch: int) -> Rates:
    """Returns the rates of a step.

    ``step`` and ``exponential`` change from epoch to epoch, ``one-cycle`` (Smith & Topin, 2017,
    arXiv 1708.07120, in its cosine form) and ``cosine`` (Loshchilov & Hutter, 2016, arXiv
    1608.03983, one period, down to 0) from step to step.

    Args:
        recipe: names the schedule and its figures.
        step: from 0, counted over all epochs.
        steps_per_epoch: at least 1.
    """
    total = recipe.epochs * steps_per_epoch
    epoch = step // steps_per_epoch
    peak = recipe.learning_rate
    match recipe.schedule:
        case "none":
            rate = peak
        case "step":
            rate = peak * recipe.decay ** (epoch // recipe.step_epochs)
        case "exponential":
            rate = peak * recipe.decay**epoch
        case "cosine":
            rate = _anneal(peak, 0.0, step / total)
        case "one-cycle":
            return _one_cycle(recipe, step, total)
    return Rates(rate, recipe.momentum)


def _anneal(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2 * (1 + cos(pi * share))


def _one_cycle(recipe: Recipe, step: int, total: int) -> Rates:
    low, peak = recipe.learning_rate / _START_DIVISOR, recipe.learning_rate
    # Torch ends the warm-up a step before its share of all steps: with no warm-up at all, the
    # first step lies behind the peak already.
    top, last = recipe.warmup * total - 1, total - 1
    if step < top:
        share = step / top
        rate, momentum = _anneal(low, peak, share), _anneal(_MOMENTUM_HIGH, _MOMENTUM_LOW, share)
    else:
        share = (step - top) / (last - top)
        rate = _anneal(peak, low / _END_DIVISOR, share)
        momentum = _anneal(_MOMENTUM_LOW, _MOMENTUM_HIGH, share)
    return Rates(rate, momentum)

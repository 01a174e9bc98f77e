"""The schedules that a recipe can name: learning rate and momentum at every step of a training.

A schedule is one entry of :data:`SCHEDULES`; whatever names, checks or describes schedules reads
that table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import cos, pi
from types import MappingProxyType
from typing import Protocol

__all__ = ["SCHEDULES", "SCHEDULE_KEYS", "Rates", "Schedule", "ScheduleSettings", "rates_at"]

_START_DIVISOR = 25.0
_END_DIVISOR = 1e4
_MOMENTUM_LOW, _MOMENTUM_HIGH = 0.85, 0.95
_TAIL_RATE = 0.01  # of the peak: small, but averages of the weights still gain by it


@dataclass(frozen=True)
class Rates:
    """The rates of the optimizer in one step.

    Attributes:
        learning_rate: 0 or more.
        momentum: SGD's momentum, Adam's beta1; 0 to below 1.
    """

    learning_rate: float
    momentum: float


class ScheduleSettings(Protocol):
    """The keys of a recipe that schedules read; :class:`trainer.Recipe` explains them."""

    @property
    def epochs(self) -> int: ...  # noqa: D102
    @property
    def learning_rate(self) -> float: ...  # noqa: D102
    @property
    def momentum(self) -> float: ...  # noqa: D102
    @property
    def schedule(self) -> str: ...  # noqa: D102
    @property
    def step_epochs(self) -> int: ...  # noqa: D102
    @property
    def decay(self) -> float: ...  # noqa: D102
    @property
    def warmup(self) -> float: ...  # noqa: D102
    @property
    def tail(self) -> float: ...  # noqa: D102


@dataclass(frozen=True)
class Schedule:
    """One schedule.

    Attributes:
        name: what a recipe calls it.
        rates: returns the rates of a step from the recipe, the step, from 0 and counted over all
            epochs, and the steps of an epoch, at least 1.
        keys: the keys of a recipe that this schedule uses and others may not.
        phrase: what the keys do, with each key in braces, as ``str.format`` takes them; a
            ``tail`` is added to it where there is one.
    """

    name: str
    rates: Callable[[ScheduleSettings, int, int], Rates]
    keys: tuple[str, ...] = ()
    phrase: str = ""

    def describe(self, settings: ScheduleSettings) -> str:
        """Return the schedule in words, with the values of the keys that it uses."""
        values = {key: getattr(settings, key) for key in self.keys}
        phrases = [self.phrase.format(**values)] if self.phrase else []
        if values.get("tail"):
            phrases.append(f"tail {values['tail']:g}")
        return f"{self.name} ({', '.join(phrases)})" if phrases else self.name


def rates_at(settings: ScheduleSettings, step: int, steps_per_epoch: int) -> Rates:
    """Return the rates of a step.

    Args:
        settings: the recipe, which names the schedule and has its figures.
        step: from 0, counted over all epochs.
        steps_per_epoch: at least 1.
    """
    return SCHEDULES[settings.schedule].rates(settings, step, steps_per_epoch)


def _constant(settings: ScheduleSettings, step: int, steps_per_epoch: int) -> Rates:
    return Rates(settings.learning_rate, settings.momentum)


def _step(settings: ScheduleSettings, step: int, steps_per_epoch: int) -> Rates:
    epoch = step // steps_per_epoch
    rate = settings.learning_rate * settings.decay ** (epoch // settings.step_epochs)
    return Rates(rate, settings.momentum)


def _exponential(settings: ScheduleSettings, step: int, steps_per_epoch: int) -> Rates:
    epoch = step // steps_per_epoch
    return Rates(settings.learning_rate * settings.decay**epoch, settings.momentum)


def _one_cycle(settings: ScheduleSettings, step: int, steps_per_epoch: int) -> Rates:
    """Follow Smith & Topin, 2017, arXiv 1708.07120, in its cosine form."""
    total = _steps_before_tail(settings, steps_per_epoch)
    low, peak = settings.learning_rate / _START_DIVISOR, settings.learning_rate
    end = peak * _TAIL_RATE if settings.tail else low / _END_DIVISOR
    if step >= total:
        return Rates(end, _MOMENTUM_HIGH)
    # Torch ends the warm-up a step before its share of all steps: with no warm-up at all, the
    # first step lies behind the peak already.
    top, last = settings.warmup * total - 1, total - 1
    if step < top:
        share = step / top
        rate, momentum = _anneal(low, peak, share), _anneal(_MOMENTUM_HIGH, _MOMENTUM_LOW, share)
    else:
        share = (step - top) / (last - top)
        rate = _anneal(peak, end, share)
        momentum = _anneal(_MOMENTUM_LOW, _MOMENTUM_HIGH, share)
    return Rates(rate, momentum)


def _cosine(settings: ScheduleSettings, step: int, steps_per_epoch: int) -> Rates:
    """Follow Loshchilov & Hutter, 2016, arXiv 1608.03983: one period, down to 0."""
    total = _steps_before_tail(settings, steps_per_epoch)
    end = settings.learning_rate * _TAIL_RATE if settings.tail else 0.0
    rate = _anneal(settings.learning_rate, end, step / total) if step < total else end
    return Rates(rate, settings.momentum)


def _steps_before_tail(settings: ScheduleSettings, steps_per_epoch: int) -> int:
    """Return how many steps, at least one, come before the rate stays where it is."""
    total = settings.epochs * steps_per_epoch
    return max(1, total - round(settings.tail * total))


def _anneal(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2 * (1 + cos(pi * share))


_ENTRIES = (
    Schedule("none", _constant),
    Schedule("step", _step, ("decay", "step_epochs"), "times {decay:g} every {step_epochs} epochs"),
    Schedule("exponential", _exponential, ("decay",), "times {decay:g} every epoch"),
    Schedule("one-cycle", _one_cycle, ("warmup", "tail"), "warmup {warmup:g}"),
    Schedule("cosine", _cosine, ("tail",)),
)

SCHEDULES: Mapping[str, Schedule] = MappingProxyType({entry.name: entry for entry in _ENTRIES})
"""Every schedule by its name."""

SCHEDULE_KEYS = tuple(dict.fromkeys(key for entry in _ENTRIES for key in entry.keys))
"""The keys of a recipe that only some schedules use."""

"""What a field of a study file can be: a fixed value, choices, or a range of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol, TypeAlias

Scalar: TypeAlias = int | float | bool | str


class Trial(Protocol):
    """The methods of a trial that fields use; an Optuna trial has them."""

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        """Draw a whole number from low to high."""

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Draw a number from low to high."""

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Draw one of the choices."""


def exact(number: float) -> Decimal:
    """Return the decimal number that a file spelled, not the binary one beside it."""
    return Decimal(repr(number))


def _number(value: Scalar) -> int | float:
    if isinstance(value, str):
        raise TypeError(f"{value!r} is text, which has no minimum or maximum")
    return value


@dataclass(frozen=True)
class Fixed:
    """One value, which no trial is asked for."""

    value: Scalar

    @property
    def minimum(self) -> int | float:
        """Return the value; raise TypeError for text."""
        return _number(self.value)

    @property
    def maximum(self) -> int | float:
        """Return the value; raise TypeError for text."""
        return _number(self.value)

    def suggest(self, trial: Trial, name: str) -> Scalar:
        """Return the value without touching the trial."""
        return self.value

    def values(self) -> Sequence[Scalar]:
        """List the value alone."""
        return (self.value,)

    def count(self) -> int | None:
        """Return 1."""
        return 1


@dataclass(frozen=True)
class Choices:
    """A list of values without an order."""

    options: tuple[Scalar, ...]

    @property
    def minimum(self) -> int | float:
        """Return the smallest choice; raise TypeError for text."""
        return min(map(_number, self.options))

    @property
    def maximum(self) -> int | float:
        """Return the largest choice; raise TypeError for text."""
        return max(map(_number, self.options))

    def suggest(self, trial: Trial, name: str) -> Scalar:
        """Ask the trial for one of the choices."""
        choice: Scalar = trial.suggest_categorical(name, self.options)
        return choice

    def values(self) -> Sequence[Scalar]:
        """List the choices in the order of the file."""
        return self.options

    def count(self) -> int | None:
        """Count the choices."""
        return len(self.options)


@dataclass(frozen=True)
class IntRange:
    """Whole numbers from low to high, both included."""

    low: int
    high: int
    step: int = 1
    log: bool = False

    @property
    def minimum(self) -> int | float:
        """Return the low end."""
        return self.low

    @property
    def maximum(self) -> int | float:
        """Return the high end."""
        return self.high

    def suggest(self, trial: Trial, name: str) -> Scalar:
        """Ask the trial for a whole number."""
        return trial.suggest_int(name, self.low, self.high, step=self.step, log=self.log)

    def values(self) -> Sequence[Scalar]:
        """List every number of the range, ascending."""
        return range(self.low, self.high + 1, self.step)

    def count(self) -> int | None:
        """Count the numbers."""
        return (self.high - self.low) // self.step + 1


@dataclass(frozen=True)
class FloatRange:
    """Numbers from low to high, both included; without a step, continuous."""

    low: float
    high: float
    step: float | None = None
    log: bool = False

    @property
    def minimum(self) -> int | float:
        """Return the low end."""
        return self.low

    @property
    def maximum(self) -> int | float:
        """Return the high end."""
        return self.high

    def suggest(self, trial: Trial, name: str) -> Scalar:
        """Ask the trial for a number."""
        return trial.suggest_float(name, self.low, self.high, step=self.step, log=self.log)

    def values(self) -> Sequence[Scalar]:
        """List every number of the range, ascending; raise TypeError when it is continuous."""
        count = self.count()
        if self.step is None or count is None:
            raise TypeError(f"the range from {self.low} to {self.high} is continuous")
        low, step = exact(self.low), exact(self.step)
        return tuple(float(low + step * index) for index in range(count))

    def count(self) -> int | None:
        """Count the numbers; None when the range is continuous."""
        if self.step is None:
            return None
        return int((exact(self.high) - exact(self.low)) / exact(self.step)) + 1


Field: TypeAlias = Fixed | Choices | IntRange | FloatRange

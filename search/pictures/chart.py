"""A chart with two axes, on which points and lines are placed by their values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import floor, log10

from search.pictures.svg import Drawing, Point

__all__ = ["Chart"]

_WIDTH, _HEIGHT = 620, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 20, 56, 48
_NARROWEST = 1e-6


class Chart:
    """Axes with ticks at round numbers.

    Args:
        title: above the chart.
        across: the values of the horizontal axis that must have a place; at least one.
        up: those of the vertical axis.
        labels: of both axes.
        logarithmic: whether the horizontal axis is, for values above 0.
    """

    def __init__(
        self,
        title: str,
        across: Sequence[float],
        up: Sequence[float],
        labels: tuple[str, str],
        *,
        logarithmic: bool = False,
    ) -> None:
        self.drawing = Drawing(_WIDTH, _HEIGHT, title)
        self._logarithmic = logarithmic
        self._across = _ratio(across) if logarithmic else _range(across, 0.05)
        self._up = _range(up, 0.08)
        self._legend = float(_LEFT)
        self.drawing.text((16, 20), title, "strong")
        self._draw_axes(labels)

    def place(self, x: float, y: float) -> Point:
        """Return where two values lie."""
        low, high = self._across
        if self._logarithmic:
            x, low, high = log10(x), log10(low), log10(high)
        share = (x - low) / (high - low) if high > low else 0.5
        bottom, top = self._up
        level = (y - bottom) / (top - bottom)
        return (
            _LEFT + share * (_WIDTH - _LEFT - _RIGHT),
            _HEIGHT - _BOTTOM - level * (_HEIGHT - _TOP - _BOTTOM),
        )

    def dots(self, points: Sequence[tuple[float, float, str]], style: str, radius: float) -> None:
        """Draw points: both values, and what a browser says under the pointer."""
        for x, y, hint in points:
            self.drawing.dot(self.place(x, y), radius, style, hint)

    def line(
        self, points: Sequence[tuple[float, float]], style: str, *, steps: bool = False
    ) -> None:
        """Draw a line through points; ``steps`` keeps each value until the next point."""
        if not points:
            return
        path = list(points)
        if steps:
            path = [points[0]]
            for before, after in pairwise(points):
                path += [(after[0], before[1]), after]
        self.drawing.line([self.place(*point) for point in path], f"curve {style}")

    def bar(self, x: float, low: float, high: float, style: str) -> None:
        """Draw the bar of an error."""
        (across, bottom), (_, top) = self.place(x, low), self.place(x, high)
        self.drawing.line([(across, bottom), (across, top)], f"curve {style}")
        for y in (bottom, top):
            self.drawing.line([(across - 4, y), (across + 4, y)], f"curve {style}")

    def upright(self, x: float, style: str) -> None:
        """Draw a line from the bottom to the top."""
        bottom, top = self._up
        self.drawing.line([self.place(x, bottom), self.place(x, top)], f"curve {style}")

    def explain(self, style: str, words: str) -> None:
        """Say what a style means, in the row above the chart."""
        x = self._legend
        if "dot" in style:
            self.drawing.dot((x + 9, 38), 3.5, style)
        else:
            self.drawing.line([(x, 38), (x + 18, 38)], f"curve {style}")
        self.drawing.text((x + 24, 42), words, "small")
        self._legend += 40 + 5.8 * len(words)

    def remark(self, words: str) -> None:
        """Write some words in the lower right corner."""
        place = (_WIDTH - _RIGHT - 6, _HEIGHT - _BOTTOM - 6)
        self.drawing.text(place, words, "small soft", "end")

    def _draw_axes(self, labels: tuple[str, str]) -> None:
        bottom, top = self._up
        for tick in _ticks(bottom, top):
            left, y = self.place(self._across[0], tick)
            self.drawing.line([(left, y), (_WIDTH - _RIGHT, y)], "rule")
            self.drawing.text((left - 7, y + 4), f"{tick:,.10g}", "soft small", "end")
        ticks = (_powers if self._logarithmic else _ticks)(*self._across)
        for tick in ticks:
            x, y = self.place(tick, bottom)
            self.drawing.line([(x, y), (x, y + 4)], "rule")
            self.drawing.text((x, y + 17), f"{tick:,.10g}", "soft small", "middle")
        middle = (_LEFT + _WIDTH - _RIGHT) / 2
        self.drawing.text((middle, _HEIGHT - 10), labels[0], "soft small", "middle")
        half = (_TOP + _HEIGHT - _BOTTOM) / 2
        self.drawing.text((18, half), labels[1], "soft small", "middle", turned=True)


def _range(values: Sequence[float], margin: float) -> tuple[float, float]:
    low, high = min(values), max(values)
    size = max(abs(low), abs(high))
    if high - low < _NARROWEST * max(size, 1.0):
        return low - max(size, 1.0) / 20, high + max(size, 1.0) / 20
    wider = margin * (high - low)
    return low - wider, high + wider


def _ratio(values: Sequence[float]) -> tuple[float, float]:
    """Return the range of a logarithmic axis, at least a factor of 1.2 wide."""
    low, high = min(values), max(values)
    return (low, high) if high > 1.2 * low else (low / 1.1, high * 1.1)


def _ticks(low: float, high: float, most: int = 7) -> Iterator[float]:
    """Yield round numbers in a range: 1, 2 or 5 times a power of ten apart."""
    width = (high - low) / (most - 1)
    power = 10.0 ** floor(log10(width))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= width * (1 - 1e-9))
    first = -floor(-low / step + 1e-9)
    yield from (
        round((first + i) * step, 12) for i in range(most + 1) if (first + i) * step <= high + 1e-12
    )


def _powers(low: float, high: float) -> Iterator[float]:
    """Yield 1, 2 and 5 times powers of ten in a range; round numbers where that gives few."""
    found = [
        factor * 10.0**power
        for power in range(floor(log10(low)), floor(log10(high)) + 1)
        for factor in (1, 2, 5)
        if low <= factor * 10.0**power <= high
    ]
    yield from found if len(found) >= 2 else _ticks(low, high, 5)

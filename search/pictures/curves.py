"""The curves of a training: accuracy and loss of each epoch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log10

from search.pictures.svg import Drawing, Point
from search.text import percent
from trainer.loop import Epoch
from trainer.metrics import floor

__all__ = ["EpochPanel", "accuracy_scale", "curves_picture", "replays_picture"]

_WIDTH, _HEIGHT = 620, 300
_TOP, _BOTTOM = 56, 40
_LEFT, _GAP, _RIGHT = 52, 64, 16
_ACCURACIES = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999)
_LEAST_ERROR = 1e-4


def curves_picture(epochs: Sequence[Epoch], floor_epochs: int, title: str = "") -> Drawing:
    """Draw the accuracy of each epoch, on training and evaluation images, and the training loss.

    The distance of an accuracy from 100 % is on a logarithmic scale, so that 99.4 and 99.5 % stand
    apart. The epochs of the floor are marked, and the floor is a line.

    Args:
        epochs: at least one.
        floor_epochs: the last epochs whose lowest accuracy is the floor.
        title: above the picture; nothing where it is empty.
    """
    drawing = Drawing(_WIDTH, _HEIGHT, title or "accuracy and loss of each epoch")
    drawing.text((16, 20), title, "strong")
    width = (_WIDTH - _LEFT - _GAP - _RIGHT) / 2
    _accuracies(EpochPanel(drawing, _LEFT, width, len(epochs)), epochs, floor_epochs)
    _losses(EpochPanel(drawing, _LEFT + width + _GAP, width, len(epochs)), epochs)
    return drawing


class EpochPanel:
    """One chart over epochs, counted from 1.

    Args:
        drawing: that it is part of.
        left: where it begins, in pixels.
        width: in pixels.
        epochs: how many.
    """

    def __init__(self, drawing: Drawing, left: float, width: float, epochs: int) -> None:
        self.drawing, self.left, self.width, self.epochs = drawing, left, width, epochs
        self.top, self.height = _TOP, _HEIGHT - _TOP - _BOTTOM

    def across(self, epoch: float) -> float:
        """Return where an epoch lies; epochs are counted from 1."""
        return self.left + self.width * (epoch - 1) / max(self.epochs - 1, 1)

    def down(self, share: float) -> float:
        """Return where a share of the height lies, 0 at the bottom."""
        return self.top + self.height * (1 - share)

    def frame(self, ticks: Sequence[tuple[float, str]]) -> None:
        """Draw the rules and write the ticks, each a share of the height and its words."""
        for share, words in ticks:
            y = self.down(share)
            self.drawing.line([(self.left, y), (self.left + self.width, y)], "rule")
            self.drawing.text((self.left - 6, y + 4), words, "soft small", "end")
        step = next(each for each in (1, 2, 5, 10, 20, 50, 100, 10**9) if self.epochs <= 8 * each)
        bottom = self.down(0) + 16
        for epoch in sorted({1, *range(step, self.epochs + 1, step), self.epochs}):
            crowded = self.epochs - step / 2 < epoch < self.epochs or 1 < epoch < 1 + step / 2
            if not crowded:
                self.drawing.text((self.across(epoch), bottom), f"{epoch}", "soft small", "middle")
        middle = self.left + self.width / 2
        self.drawing.text((middle, bottom + 16), "epoch", "soft small", "middle")

    def legend(self, entries: Sequence[tuple[str, str]]) -> None:
        """Write what the lines mean, each with its style, in one row above the chart."""
        x = self.left
        for style, words in entries:
            self.drawing.line([(x, 38), (x + 18, 38)], f"curve {style}")
            self.drawing.text((x + 23, 42), words, "small")
            x += 36 + 6 * len(words)

    def curve(self, shares: Sequence[float], style: str, hints: Sequence[str]) -> None:
        """Draw a line with a dot for each epoch."""
        points: list[Point] = [
            (self.across(epoch), self.down(share)) for epoch, share in enumerate(shares, 1)
        ]
        self.drawing.line(points, f"curve {style}")
        for point, hint in zip(points, hints, strict=True):
            self.drawing.dot(point, 2.2, f"dot {style}", hint)


def replays_picture(
    replays: Sequence[Sequence[float]], reported: Sequence[float], title: str = ""
) -> Drawing:
    """Draw the test accuracy of each epoch of some replays, beside what an author reported.

    Args:
        replays: for each seed the accuracy of each epoch, 0 to 1; at least one.
        reported: of each epoch, 0 to 1; empty where nothing was reported.
        title: above the picture; nothing where it is empty.
    """
    drawing = Drawing(_WIDTH, _HEIGHT, title or "test accuracy of each epoch")
    drawing.text((16, 20), title, "strong")
    length = max(map(len, [*replays, reported]))
    panel = EpochPanel(drawing, _LEFT, _WIDTH - _LEFT - _RIGHT, length)
    share, ticks = accuracy_scale([*reported, *(each for run in replays for each in run)])
    panel.frame(ticks)
    if reported:
        hints = [f"reported, epoch {i}: {percent(each)}" for i, each in enumerate(reported, 1)]
        panel.curve([share(each) for each in reported], "two", hints)
    for run in replays:
        hints = [f"epoch {i}: {percent(each)}" for i, each in enumerate(run, 1)]
        panel.curve([share(each) for each in run], "one", hints)
    seeds = "replay" if len(replays) == 1 else f"{len(replays)} replays"
    panel.legend((("one", f"{seeds}, test"), *([("two", "reported, test")] if reported else [])))
    return drawing


def _accuracies(panel: EpochPanel, epochs: Sequence[Epoch], floor_epochs: int) -> None:
    evaluated = [epoch.accuracy for epoch in epochs]
    trained = [epoch.train_accuracy for epoch in epochs]
    share, ticks = accuracy_scale([*evaluated, *trained])
    first = max(1, len(epochs) - floor_epochs + 1)
    half = panel.width / max(panel.epochs - 1, 1) / 2
    start = max(panel.left, panel.across(first) - half)
    panel.drawing.rectangle(
        (start, panel.top), panel.left + panel.width - start, panel.height, "band"
    )
    panel.frame(ticks)
    lowest = floor(evaluated, floor_epochs)
    level = panel.down(share(lowest))
    panel.drawing.line([(start, level), (panel.left + panel.width, level)], "curve one dashed")
    hints = [f"epoch {i}: {percent(each)}" for i, each in enumerate(trained, 1)]
    panel.curve([share(each) for each in trained], "two", hints)
    hints = [f"epoch {i}: {percent(each)}" for i, each in enumerate(evaluated, 1)]
    panel.curve([share(each) for each in evaluated], "one", hints)
    panel.legend((("one", f"validation, floor {percent(lowest)}"), ("two", "training")))


def accuracy_scale(
    accuracies: Sequence[float],
) -> tuple[Callable[[float], float], list[tuple[float, str]]]:
    """Return a logarithmic scale of errors for some accuracies of 0 to 1.

    Returns:
        What gives the share of the height of an accuracy, 0 to 1, and the ticks: each a share and
        its words.
    """
    low, high = min(accuracies), max(accuracies)
    bottom = max(each for each in _ACCURACIES[:-1] if each <= low)
    top = next((each for each in _ACCURACIES if each >= high and each > bottom), _ACCURACIES[-1])
    lowest, highest = log10(1 - bottom), log10(1 - top)

    def share(accuracy: float) -> float:
        error = max(1 - accuracy, _LEAST_ERROR)
        return min(max((log10(error) - lowest) / (highest - lowest), 0.0), 1.0)

    ticks = [each for each in _ACCURACIES if bottom <= each <= top]
    return share, [(share(each), f"{100 * each:g} %") for each in ticks]


def _losses(panel: EpochPanel, epochs: Sequence[Epoch]) -> None:
    losses = [epoch.loss for epoch in epochs]
    top = _round_above(max(losses))
    panel.frame([(each / 4, f"{top * each / 4:.3g}") for each in range(5)])
    hints = [f"epoch {i}: {each:.4f}" for i, each in enumerate(losses, 1)]
    panel.curve([max(each, 0) / top for each in losses], "two", hints)
    panel.legend((("two", "training loss"),))


def _round_above(value: float) -> float:
    """Return 1, 2, 4 or 8 times a power of ten that is not below a value."""
    if not value > 0:
        return 1.0
    scale = 10.0**-9
    while True:
        for factor in (1, 2, 4, 8):
            if factor * scale >= value:
                return factor * scale
        scale *= 10

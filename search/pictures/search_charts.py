"""Charts of a study: accuracy against parameters, and the best so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from search.pictures.chart import Chart
from search.pictures.svg import Drawing
from search.text import plural

__all__ = ["Measured", "front_chart", "progress_chart"]


@dataclass(frozen=True)
class Measured:
    """A network with its accuracy.

    Attributes:
        parameters: trainable ones, at least 1.
        accuracy: 0 to 1; the mean where several seeds were trained.
        words: which network it is.
        deviation: of the seeds; None for one.
    """

    parameters: int
    accuracy: float
    words: str
    deviation: float | None = None


def front_chart(
    trials: Sequence[Measured],
    front: Sequence[Measured],
    confirmed: Sequence[Measured],
    limits: Sequence[int],
) -> Drawing:
    """Draw validation floors against parameters.

    Args:
        trials: that are complete, at least one.
        front: those that no other beats, the smallest first.
        confirmed: candidates of a confirm, with the deviation of their seeds.
        limits: on parameters.
    """
    shown = [*trials, *confirmed]
    ends = [
        100 * (each.accuracy + sign * (each.deviation or 0)) for each in shown for sign in (-1, 1)
    ]
    best = max(100 * each.accuracy for each in trials)
    # A few failures far below must not flatten all others.
    low = max(min(100 * each.accuracy for each in trials), 100 - 8 * (100 - best) - 1.0)
    low = min([low, *(100 * (each.accuracy - (each.deviation or 0)) for each in confirmed)])
    chart = Chart(
        "Accuracy against parameters",
        [*(each.parameters for each in shown), *limits],
        [low, max(ends)],
        ("parameters", "validation floor, %"),
        logarithmic=True,
    )
    for limit in limits:
        chart.upright(limit, "two dashed")
    inside = [each for each in trials if 100 * each.accuracy >= low]
    chart.dots(
        [(each.parameters, 100 * each.accuracy, each.words) for each in inside], "dot one", 2.6
    )
    if below := len(trials) - len(inside):
        chart.remark(f"{plural(below, 'trial lies', 'trials lie')} below")
    steps = [(each.parameters, 100 * each.accuracy) for each in front if 100 * each.accuracy >= low]
    chart.line(steps, "one", steps=True)
    for each in confirmed:
        spread = each.deviation or 0.0
        bounds = (max(low, 100 * (each.accuracy - spread)), 100 * (each.accuracy + spread))
        chart.bar(each.parameters, *bounds, "three")
        chart.dots([(each.parameters, 100 * each.accuracy, each.words)], "dot three", 4)
    chart.explain("dot one", "complete trials, one seed each")
    chart.explain("one", "front")
    if confirmed:
        chart.explain("dot three", "confirmed, mean ± deviation")
    if limits:
        chart.explain("two dashed", "limit")
    return chart.drawing


def progress_chart(best: Sequence[tuple[int, float, str]], trained: int) -> Drawing:
    """Draw the best validation floor so far against trained trials.

    Args:
        best: for each trial that was better than all before: how many were trained by then, its
            floor of 0 to 1, and which trial it is; at least one.
        trained: all trained trials.
    """
    points = [(count, 100 * floor) for count, floor, _ in best]
    last = (trained, points[-1][1])
    chart = Chart(
        "Best so far",
        [1, trained],
        [y for _, y in points],
        ("trained trials, pruned ones included", "validation floor, %"),
    )
    chart.line([*points, last], "one", steps=True)
    chart.dots(
        [(x, y, words) for (x, y), (_, _, words) in zip(points, best, strict=True)], "dot one", 3
    )
    return chart.drawing

"""The analysis of a replayed step, computed from its figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean

from search.ladder.diff import changes
from search.ladder.records import Replay
from search.ladder.result import StepResult
from search.text import percent, plural

__all__ = ["Comparison", "analysis", "compare", "goal_words"]

# Smaller gaps are no finding, however many images they are measured on.
_LEAST_GAP = 0.0025
# So far from 0 is one gap in 20 by the choice of the images alone, half of them on this side.
_STANDARD_ERRORS = 2.0
# A network has learned when it is that far on the way from guessing to the goal.
_LEARNED = 0.5


def analysis(result: StepResult, results: Sequence[StepResult]) -> list[str]:
    """Return what a step's replays show, one finding a line.

    Args:
        result: of the step; if no replay was trained to its end, only a failure is returned.
        results: of all steps that were replayed, to compare with the step before.
    """
    lines = [f"failed: {result.failure}"] if result.failure else []
    if not result.done:
        return lines
    lines += [_fit(result), f"goal {percent(result.ladder.settings.goal)}: {goal_words(result)}"]
    return lines + _change(result, results) + _beside_the_report(result)


def _fit(result: StepResult) -> str:
    assert result.gap is not None
    assert result.train is not None
    gap, train = result.gap.mean, result.train.mean
    if result.clean:
        images, when = "clean training images", "after the last epoch"
    else:
        kind = "augmented batches" if result.recipe.augment else "batches"
        images = f"{kind} while they were trained on (an older replay)"
        when = f"over the last {plural(result.floor_epochs, 'epoch')}"
    figures = (
        f"{percent(train)} on {images}, {100 * gap:+.2f} points from the test accuracy, {when}"
    )
    goal = result.ladder.settings.goal
    if train < _learned(result):
        return f"has hardly learned: {figures}"
    if gap > _bound_of_gap(result, train, train - gap):
        return f"over-fits: {figures}"
    if train < goal and not _holding(result):
        return f"under-fits, below the goal in training too: {figures}"
    return f"neither over- nor under-fits: {figures}"


def _learned(result: StepResult) -> float:
    """Return the training accuracy from which on a network counts as one that has learned."""
    chance = 1 / result.step.architecture.classes
    return chance + _LEARNED * max(0.0, result.ladder.settings.goal - chance)


def _bound_of_gap(result: StepResult, *accuracies: float) -> float:
    """Return the gap above which a network over-fits.

    Two accuracies on n images each differ by chance: the standard error of the difference is the
    root of the sum of both p (1 - p) / n.
    """
    if not result.clean:
        return _LEAST_GAP
    images = min(replay.clean_images for replay in result.done)
    error = sqrt(sum(p * (1 - p) for p in accuracies) / images)
    return max(_LEAST_GAP, _STANDARD_ERRORS * error)


def _holding(result: StepResult) -> list[Replay]:
    """Return the replays that held the goal."""
    goal, epochs = result.ladder.settings.goal, result.floor_epochs
    return [replay for replay in result.done if replay.floor(epochs) >= goal]


def goal_words(result: StepResult) -> str:
    """Return in words whether the goal was reached and held, and the parameter limit kept."""
    settings = result.ladder.settings
    reached = [replay for replay in result.done if replay.best >= settings.goal]
    if len(result.done) == 1:
        words = _of_one(result.done[0], result)
    else:
        n = len(result.done)
        words = f"reached in {len(reached)} and held in {len(_holding(result))} of {n} replays"
    if result.parameters > settings.parameters:
        words += f"; {result.parameters:,} parameters are over the limit of {settings.parameters:,}"
    return words


def _of_one(replay: Replay, result: StepResult) -> str:
    goal, epochs = result.ladder.settings.goal, result.floor_epochs
    if replay.best < goal:
        return f"not reached, best {percent(replay.best)}"
    first = next(epoch.number for epoch in replay.epochs if epoch.accuracy >= goal) + 1
    if replay.floor(epochs) >= goal:
        return f"reached in epoch {first} and held over the last {epochs} epochs"
    return f"reached in epoch {first}, not held: floor {percent(replay.floor(epochs))}"


def _change(result: StepResult, results: Sequence[StepResult]) -> list[str]:
    steps = result.ladder.steps
    place = steps.index(result.step)
    if place == 0:
        return []
    before = steps[place - 1]
    words = "; ".join(changes(before, result.step)) or "nothing: the same training once more"
    lines = [f"changed from {before.name}: {words}"]
    for other in results:
        if other.ladder is result.ladder and other.step is before and other.done:
            lines.append(f"which did: {_effect(other, result)}")
    return lines


def _effect(before: StepResult, after: StepResult) -> str:
    parts = []
    figures = [("best", before.best, after.best), ("floor", before.floor, after.floor)]
    if before.clean == after.clean:
        figures += [("train", before.train, after.train), ("gap", before.gap, after.gap)]
    for name, old, new in figures:
        assert old is not None
        assert new is not None
        parts.append(f"{name} {100 * (new.mean - old.mean):+.2f}")
    return ", ".join(parts) + " points"


def _beside_the_report(result: StepResult) -> list[str]:
    if result.step.reported is None:
        return []
    if result.difference is None or result.best is None:
        asked, own = result.recipe.epochs, result.step.recipe.epochs
        return [f"not compared: reported after {own} epochs, replayed for {asked}"]
    reported = result.step.reported.best_test
    best = percent(result.best.mean)
    return [f"best test accuracy {best}, {result.difference:+.2f} points from {reported:.2f} %"]


@dataclass(frozen=True)
class Comparison:
    """The best test accuracies of replays less the reported ones, in points.

    Attributes:
        steps: how many steps are compared.
        mean: of the signed differences.
        within: steps whose difference is at most a quarter of a point either way.
        largest: the difference that is furthest from 0.
        step: the step with that difference.
    """

    steps: int
    mean: float
    within: int
    largest: float
    step: str

    def __str__(self) -> str:
        return (
            f"best test accuracy beside the reported one, {plural(self.steps, 'step')}: "
            f"mean difference {self.mean:+.3f} points, {self.within} within 0.25, "
            f"the furthest {self.largest:+.2f} ({self.step})"
        )


def compare(results: Sequence[StepResult]) -> Comparison | None:
    """Compare all steps that were replayed for their own epochs; return None without any."""
    found = {
        f"{result.ladder.settings.name}#{result.step.name}": result.difference
        for result in results
        if result.difference is not None
    }
    if not found:
        return None
    step = max(found, key=lambda name: abs(found[name]))
    within = sum(round(abs(value), 4) <= 0.25 for value in found.values())
    return Comparison(len(found), fmean(found.values()), within, found[step], step)

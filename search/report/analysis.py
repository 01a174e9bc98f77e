"""What the figures of a study show, in computed sentences."""

from __future__ import annotations

import random
from collections.abc import Iterator
from math import sqrt

from optuna.trial import FrozenTrial

from search.statistics import Spread
from search.study.confirms import Confirm
from search.study.importance import ENOUGH_TRIALS, grouped_importances, ranks_of
from search.study.records import IMAGES_ATTRIBUTE, TrialRecord, records_of
from search.text import percent, plural, points
from trainer.recipe import Recipe

__all__ = ["difference_line", "fit_of", "importance_lines", "target_lines"]

_RESAMPLES = 20
_MOST_CHOICES = 4
# Two accuracies further apart than this many standard errors differ by more than their images.
_STANDARD_ERRORS = 2.0
_LEAST_GAP = 0.0025


def target_lines(
    target: float | None, best: TrialRecord | None, confirm: Confirm | None, champion: int | None
) -> Iterator[str]:
    """Say whether the target was met, and held by how many seeds.

    Args:
        target: of the study, 0 to 1.
        best: trial of the study.
        confirm: that has finished.
        champion: of that confirm, the number of its trial.
    """
    if confirm is not None and champion is not None:
        floors = confirm.test_floors_of(champion)
        found = Spread.of(floors)
        last = plural(confirm.floor_epochs, "epoch")
        seeds = plural(len(floors), "seed")
        yield (
            f"The champion's lowest test accuracy of the last {last} is {percent(found.mean)}"
            f"{found.deviation_text()} over {seeds}."
        )
        if target is not None:
            held = sum(floor >= target for floor in floors)
            met = "met" if found.mean >= target else "not met"
            yield f"The target of {percent(target)} is {met}: {held} of {seeds} held it."
    elif target is not None and best is not None:
        met = "met" if (best.score or 0) >= target else "not met"
        yield (
            f"The target of {percent(target)} is {met} on validation by one seed of trial "
            f"{best.number}; the best of many trials is a lucky one, so confirm it."
        )


def fit_of(record: TrialRecord) -> str:
    """Say whether a complete trial's network over- or under-fits."""
    epoch = record.epochs[-1]
    gap = epoch.train_accuracy - epoch.accuracy
    bound = _bound_of_gap(epoch.accuracy, record.attributes.get(IMAGES_ATTRIBUTE))
    augmented = bool(Recipe.from_dict(record.recipe).augment)
    kind = "augmented training batches" if augmented else "training batches"
    figures = (
        f"{percent(epoch.train_accuracy)} on {kind}, {percent(epoch.accuracy)} on validation "
        "in the last epoch"
    )
    if gap > bound:
        return f"Trial {record.number} over-fits: {figures}."
    if gap < -bound:
        why = (
            "Its augmented images are harder than those it is judged on."
            if augmented
            else "Training accuracy is counted while the weights still change, with any dropout."
        )
        return (
            f"Trial {record.number} does not over-fit: {figures}. {why} More parameters or epochs "
            "may help."
        )
    return f"Trial {record.number} neither over- nor under-fits measurably: {figures}."


def _bound_of_gap(accuracy: float, images: int | None) -> float:
    """Return the gap that chance explains, two accuracies on so many images each."""
    if not images:
        return _LEAST_GAP
    share = min(max(accuracy, 1 / images), 1 - 1 / images)
    return max(_LEAST_GAP, _STANDARD_ERRORS * sqrt(2 * share * (1 - share) / images))


def importance_lines(trials: list[FrozenTrial]) -> Iterator[str]:
    """Say which choices mattered, with the deviation over resampled trials.

    Args:
        trials: of the study.
    """
    ranks = ranks_of(records_of(trials))
    importances = grouped_importances(trials, ranks)
    if not importances and len(ranks) >= ENOUGH_TRIALS:
        yield f"None of the choices of {len(ranks)} trained trials mattered measurably."
        return
    if not importances:
        yield (
            f"Which choice mattered is not known yet: that takes {ENOUGH_TRIALS} trained trials, "
            f"and there are {len(ranks)}."
        )
        return
    generator = random.Random(0)
    trained = [trial for trial in trials if trial.number in ranks]
    found: dict[str, list[float]] = {}
    for _ in range(_RESAMPLES):
        chosen = [generator.choice(trained) for _ in trained]
        for name, share in grouped_importances(chosen, ranks).items():
            found.setdefault(name, []).append(share)
    words = []
    for name, share in list(importances.items())[:_MOST_CHOICES]:
        deviation = Spread.of(found.get(name, [share])).deviation or 0.0
        words.append(f"{name} {100 * share:.0f} ± {100 * deviation:.0f} %")
    yield (
        f"What mattered most for how good a candidate is: {', '.join(words)} (PED-ANOVA on "
        f"{plural(len(trained), 'trained trial')}, ± one deviation over {_RESAMPLES} resamples)."
    )


def difference_line(difference: float | None) -> Iterator[str]:
    """Say how far two trials must be apart to differ, where a calibration measured it."""
    if difference is not None:
        yield (
            f"Two trials differ where their floors are {points(difference)} apart; less may be "
            "their seeds."
        )

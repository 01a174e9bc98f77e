from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from search.report.analysis import fit_of, importance_lines, target_lines
from search.study.confirms import Confirm, ConfirmPlan, Repeat
from search.study.importance import ENOUGH_TRIALS
from search.study.records import IMAGES_ATTRIBUTE, Outcome, TrialRecord
from tests.search.study.test_importance import _trial
from tests.search.study.test_records import NO_CANDIDATE
from trainer.loop import Epoch
from trainer.recipe import Recipe

PLAN = ConfirmPlan(1, (4,), 2, 10, 1)


def _record(train: float, judged: float, images: int | None, **changes: Any) -> TrialRecord:
    kept: dict[str, Any] = {"recipe": Recipe().to_dict()}
    kept |= {} if images is None else {IMAGES_ATTRIBUTE: images}
    epochs = (Epoch(0, 0.1, train, judged, 1.0),)
    return replace(NO_CANDIDATE, number=4, attributes=kept, epochs=epochs, **changes)


@pytest.mark.parametrize(
    ("train", "judged", "images", "word"),
    [
        (0.999, 0.95, 10_000, "over-fits"),
        (0.95, 0.99, 10_000, "does not over-fit"),
        (0.992, 0.990, 10_000, "neither"),
        (0.99, 0.95, 100, "neither"),  # four images in a hundred are chance
        (0.99, 0.95, None, "over-fits"),
    ],
)
def test_a_gap_counts_where_chance_does_not_explain_it(
    train: float, judged: float, images: int | None, word: str
) -> None:
    """The same gap is a finding on many images and none on few."""
    assert word in fit_of(_record(train, judged, images))


def test_the_target_is_judged_by_every_seed() -> None:
    """The mean decides whether a target is met, and each seed whether it was held."""
    runs = tuple(Repeat(4, i, i, (0.9, each), 1.0) for i, each in enumerate((0.97, 0.99)))
    confirm = Confirm(PLAN, 1, runs, runs)
    lines = list(target_lines(0.975, None, confirm, 4))
    assert lines[0].endswith("98.00 % ± 1.41 over 2 seeds.")
    assert lines[1] == "The target of 97.50 % is met: 1 of 2 seeds held it."
    assert "not met" in list(target_lines(0.985, None, confirm, 4))[1]


def test_without_a_confirm_luck_is_named() -> None:
    """A target that one seed met on validation is no result yet."""
    (line,) = target_lines(0.9, _record(0.9, 0.95, 100, score=0.95), None, None)
    assert "is met on validation by one seed" in line
    assert "confirm it" in line
    assert list(target_lines(None, None, None, None)) == []


def test_without_augmentation_nothing_is_invented() -> None:
    """Where no image was augmented, the reason names none, and no noise that a recipe lacks."""
    words = fit_of(_record(0.95, 0.99, 10_000))
    assert "augmented" not in words
    assert "noise" not in words


def test_choices_that_do_not_matter_are_no_lack_of_trials() -> None:
    """Enough trials whose choices explain nothing are not said to be too few."""
    params = {"dropout": 0.1, "stage1.conv1.width": 3, "stage2.conv3.width": 3}
    trials = [_trial(i, [i / 100], Outcome.COMPLETE, params) for i in range(ENOUGH_TRIALS)]
    (line,) = importance_lines(trials)
    assert "mattered measurably" in line
    (line,) = importance_lines(trials[1:])
    assert f"there are {ENOUGH_TRIALS - 1}" in line

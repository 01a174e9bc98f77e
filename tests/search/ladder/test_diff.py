from __future__ import annotations

import dataclasses

import pytest

from search.ladder.diff import changes
from search.spec.ladder_file import LadderFile
from search.spec.ladder_step import LadderStep, Reported
from space.architecture import Architecture
from space.cost import cost
from tests.search.ladder_texts import LADDERS
from trainer.augment import Affine, Colour
from trainer.recipe import Recipe

LINES = "conv3 8 relu\nmaxpool2\nconv3 8 relu\ngap\nconv1 10"


def step(lines: str = LINES, **recipe: object) -> LadderStep:
    """A step of these layers."""
    architecture = Architecture.parse(lines)
    reported = Reported(cost(architecture).parameters, best_test=99.0)
    return LadderStep("a", "b", "", architecture, Recipe(**recipe), reported)  # type: ignore[arg-type]


def test_the_same_training_has_no_changes() -> None:
    """Equal layers and recipe give nothing."""
    assert changes(step(), step()) == []


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (LINES.replace("relu", "bn relu"), "with bn in 2 lines"),
        (LINES.replace("conv3 8 relu\nmax", "conv3 8 relu drop0.1\nmax"), "with drop0.1 in 1 line"),
        (LINES.replace(" relu", ""), "without relu in 2 lines"),
        (LINES.replace("conv3 8", "conv3 12"), "8 became 12 in 2 lines"),
        (LINES.replace("maxpool2\n", ""), 'without "maxpool2"'),
        (LINES.replace("gap", "conv3 9 relu\ngap"), 'with "conv3 9 relu"'),
        ("conv5 10 stride3\ngap", "another network of 2 lines instead of 5"),
    ],
)
def test_changes_of_the_network_are_told(lines: str, words: str) -> None:
    """A change of words, an added, removed or replaced line and another network are told apart."""
    assert words in changes(step(), step(lines))


def test_the_parameters_are_told_where_they_change() -> None:
    """Both counts stand first; a change that costs nothing names none."""
    assert changes(step(), step(LINES.replace("conv3 8", "conv3 9")))[0] == (
        "728 -> 900 parameters"
    )
    dropped = changes(step(), step(LINES.replace("relu", "relu drop0.1")))
    assert not any("parameters" in words for words in dropped)


def test_changes_of_the_recipe_are_told() -> None:
    """Each key with its values, the augmentation as a whole with its strengths; never the seed."""
    new = step(
        batch_size=64,
        seed=5,
        augment=(Affine(degrees=6, fill=1, interpolation="nearest"), Colour(brightness=0.4)),
    )
    assert changes(step(), new) == [
        "batch_size 128 -> 64",
        "augmentation none -> affine (degrees 6, fill 1) then colour (brightness 0.4)",
    ]


def test_a_schedule_is_told_with_the_figures_that_it_uses() -> None:
    """A figure that a schedule has no use for is no change."""
    old = step(schedule="none", decay=0.3, warmup=0.1)
    assert changes(old, step(schedule="none", decay=0.5, step_epochs=2)) == []
    assert changes(old, step(schedule="step", decay=0.15)) == [
        "schedule none -> step (times 0.15 every 5 epochs)"
    ]
    assert changes(step(schedule="exponential", decay=0.85), step(schedule="one-cycle")) == [
        "schedule exponential (times 0.85 every epoch) -> one-cycle (warmup 0.3)"
    ]


@pytest.mark.parametrize("path", LADDERS, ids=lambda path: path.stem)
def test_every_shipped_step_is_told_from_the_one_before(path: object) -> None:
    """Only a step whose author ran the same once more has no change."""
    ladder = LadderFile.load(str(path))
    for before, after in zip(ladder.steps, ladder.steps[1:], strict=False):
        same = before.architecture == after.architecture and before.recipe == after.recipe
        assert bool(changes(before, after)) != same
        seeded = dataclasses.replace(after, recipe=dataclasses.replace(after.recipe, seed=9))
        assert changes(before, seeded) == changes(before, after)

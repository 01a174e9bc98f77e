"""The ladders that are shipped: thirty hand-made steps, held against figures known from elsewhere.

Parameter counts are those that the authors' notebooks print. Map sizes and receptive fields were
computed from the layer lists independently of this project.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pytest

from search.spec.ladder_file import LadderFile, LadderStep
from search.validate import validate
from space.cost import cost
from space.network import build
from tests.search.ladder_texts import LADDERS

LARGEST_BUILT = 1_000_000


class Known(NamedTuple):
    """What is known of a step.

    ``maps`` are the sides of the maps from the image on, each once where it stays; ``seen`` is the
    receptive field before and after global average pooling, the same without one.
    """

    parameters: int
    maps: str
    seen: tuple[int, int]


SETUP = Known(6_379_786, "28 14 7 5 3 1", (40, 40))
BIG_KERNEL = "28 26 24 22 11 9 7 1"
ONE_POOL = "28 26 24 12 10 8 6 1"
TWO_POOLS = "28 26 24 12 10 8 4 2 1"
DEEPER = "28 26 24 12 10 8 6 4 1"

KNOWN: dict[str, dict[str, Known]] = {
    "vision-gmshashank": {
        "setup": SETUP,
        "basic-skeleton": Known(194_884, BIG_KERNEL, (28, 28)),
        "lighter-model": Known(10_790, BIG_KERNEL, (28, 28)),
        "batchnorm": Known(10_970, BIG_KERNEL, (28, 28)),
        "regularization": Known(10_970, BIG_KERNEL, (28, 28)),
        "global-average-pooling": Known(6_070, BIG_KERNEL, (16, 28)),
        "increasing-capacity": Known(11_994, "28 26 24 22 11 9 7 5 1", (20, 28)),
        "final-model": Known(13_808, ONE_POOL, (22, 32)),
        "image-augmentation": Known(13_808, ONE_POOL, (22, 32)),
        "lr-scheduler": Known(13_808, ONE_POOL, (22, 32)),
    },
    "eva5-namanphy": {
        "basic-model": Known(24_272, "28 26 13 11 5 1", (32, 32)),
        "fewer-channels": Known(8_734, "28 26 13 11 5 1", (32, 32)),
        "1x1-and-gap": Known(4_894, "28 26 24 12 10 8 4 1", (16, 28)),
        "batch-norm": Known(6_398, TWO_POOLS, (24, 28)),
        "step-lr-and-rotation": Known(6_398, TWO_POOLS, (24, 28)),
        "dropout": Known(6_398, TWO_POOLS, (24, 28)),
    },
    "eva6-nrajmalwar": {
        "skeleton-model": Known(9_264, DEEPER, (22, 28)),
        "regularization": Known(9_436, DEEPER, (22, 28)),
        "image-augmentations": Known(9_436, DEEPER, (22, 28)),
        "lr-scheduler": Known(9_436, DEEPER, (22, 28)),
    },
    "eva6-coding-drill-down": {
        "basic-skeleton": Known(10_578, ONE_POOL, (18, 28)),
        "regularization": Known(8_178, ONE_POOL, (18, 28)),
        "augmentation": Known(7_946, ONE_POOL, (22, 32)),
    },
    "eva-gkdivya": {
        "basic-setup": SETUP,
        "basic-skeleton": Known(4_572, ONE_POOL, (18, 28)),
        "batch-normalization": Known(5_088, ONE_POOL, (18, 28)),
        "dropout": Known(5_088, ONE_POOL, (18, 28)),
        "increase-capacity": Known(6_124, ONE_POOL, (18, 28)),
        "image-augmentation": Known(6_124, ONE_POOL, (18, 28)),
        "lr-scheduler": Known(6_720, ONE_POOL, (18, 28)),
    },
}
SHIPPED = {path.stem: LadderFile.load(path) for path in LADDERS}
STEPS = [
    pytest.param(SHIPPED[ladder].step(step), known, id=f"{ladder}-{step}")
    for ladder, steps in KNOWN.items()
    for step, known in steps.items()
]


def test_all_thirty_steps_are_there() -> None:
    """Five files hold thirty steps, in the order in which their authors took them."""
    assert {name: [step.name for step in file.steps] for name, file in SHIPPED.items()} == {
        name: list(steps) for name, steps in KNOWN.items()
    }
    assert len(SHIPPED) == 5
    assert sum(len(file.steps) for file in SHIPPED.values()) == 30
    assert validate(LADDERS) == []


@pytest.mark.parametrize("path", LADDERS, ids=lambda path: path.stem)
def test_ladders_are_named_like_their_files(path: Path) -> None:
    """A ladder says whose it is, what it aims at and how to replay it."""
    ladder = SHIPPED[path.stem].settings
    assert ladder.name == path.stem
    assert ladder.source.startswith("https://github.com/")
    assert (ladder.dataset, ladder.goal, ladder.floor_epochs) == ("mnist", 0.994, 5)
    assert f"#   flyweight ladder studies/ladders/{path.name}" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("step", "known"), STEPS)
def test_networks_are_the_authors(step: LadderStep, known: Known) -> None:
    """Parameters, map sizes and receptive fields are exactly those of the author's network."""
    price = cost(step.architecture)
    sides = [28, *(height for _, height, _ in step.architecture.shapes)]
    assert price.parameters == step.reported.parameters == known.parameters
    assert [side for side, _ in groupby(sides)] == [int(side) for side in known.maps.split()]
    assert (price.receptive_field_before_gap, price.receptive_field) == known.seen


@pytest.mark.parametrize(("step", "known"), STEPS)
def test_built_networks_have_as_many_parameters(step: LadderStep, known: Known) -> None:
    """The module that is trained has the parameters that the author counted."""
    if known.parameters < LARGEST_BUILT:
        network = build(step.architecture)
        assert sum(weights.numel() for weights in network.parameters()) == known.parameters


@pytest.mark.parametrize(("step", "known"), STEPS)
def test_figures_are_those_of_whole_runs(step: LadderStep, known: Known) -> None:
    """There is a figure for every epoch, and the best ones are their maxima."""
    reported = step.reported
    assert len(reported.test) == len(reported.train) == step.recipe.epochs
    assert reported.best_test == pytest.approx(max(reported.test), abs=0.005)
    assert reported.best_train == pytest.approx(max(reported.train), abs=0.005)
    assert reported.seconds_per_epoch is not None
    assert reported.source


@pytest.mark.parametrize(
    ("ladder", "step"),
    [
        ("vision-gmshashank", "lr-scheduler"),
        ("eva5-namanphy", "step-lr-and-rotation"),
        ("eva6-coding-drill-down", "basic-skeleton"),
        ("eva6-coding-drill-down", "regularization"),
    ],
)
def test_doubts_are_told(ladder: str, step: str) -> None:
    """Where an author's sources disagree, the note says so and which reading is taken."""
    note = SHIPPED[ladder].step(step).note
    assert "Doubtful: " in note
    assert "The reading taken here is " in note


def test_recipes_with_rare_keys() -> None:
    """Schedules, optimizers and what an author left out are those of the notebooks."""
    recipes = {(name, s.name): s.recipe for name, file in SHIPPED.items() for s in file.steps}
    skeleton = recipes["eva6-coding-drill-down", "basic-skeleton"]
    assert (skeleton.optimizer, skeleton.learning_rate, skeleton.normalise) == ("adam", 0.05, False)
    assert sum(not recipe.normalise for recipe in recipes.values()) == 1
    assert recipes["vision-gmshashank", "lr-scheduler"].schedule == "none"
    assert {
        (recipe.schedule, recipe.step_epochs, recipe.decay)
        for recipe in recipes.values()
        if recipe.schedule in ("step", "exponential")
    } == {
        ("step", 5, 0.15),
        ("step", 3, 0.1),
        ("step", 5, 0.1),
        ("step", 9, 0.1),
        ("exponential", 5, 0.85),
    }
    cycle = recipes["eva-gkdivya", "lr-scheduler"]
    assert (cycle.schedule, cycle.learning_rate, cycle.warmup) == ("one-cycle", 0.015, 0.3)
    assert [step.kind for step in cycle.augment] == ["affine", "affine", "colour"]
    assert {recipe.weight_decay for recipe in recipes.values()} == {0.0}

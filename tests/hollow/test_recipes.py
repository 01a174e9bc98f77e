"""Every optimizer, schedule and augmentation, and each other key of a recipe, over the graph."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from tests.hollow import journal
from tests.hollow.journal import Kind
from tests.hollow.trainings import CHUNK_BATCHES, Asked, ask
from trainer.augment import STEP_KINDS, AugmentStep
from trainer.optim.optimizers import OPTIMIZERS
from trainer.optim.schedules import SCHEDULES
from trainer.ranges import Choice, Range, rules_of
from trainer.recipe import Recipe

pytestmark = pytest.mark.hollow

NETWORK = "conv1 16\nconv1 10\ngap"
RECORDABLE = [name for name, entry in OPTIMIZERS.items() if entry.make_flat is not None]

NODES_OF_A_NEW_OPTIMIZER = 32
NODES_OF_OPTIMIZERS = {"sgd": 25, "adam": 30, "adamw": 30, "muon": 65}
"""Nodes of the graph of a step of the network above."""

NODES_OF_WEIGHT_DECAY = 1
NODES_OF_NESTEROV = 1
NODES_OF_CLIPPING = 6
NODES_OF_SMOOTHING = 19
NODES_OF_PENALTY = 2

LAUNCHES_OF_A_NEW_AUGMENTATION = 20
LAUNCHES_OF_AUGMENTATIONS = {
    "affine": 34,
    "perspective": 88,
    "colour": 8,
    "crop": 20,
    "flip": 18,
    "cutout": 20,
    "elastic": 20,
}
"""Launches that an augmentation adds to a chunk of 1,024 images."""

LAUNCHES_OF_AN_EPOCH = 89
"""Launches in an epoch of one chunk of 8 steps, evaluation included, a graph counted once."""
LAUNCHES_OF_8_STEPS = 54
"""Launches in each further chunk of 8 steps."""
LAUNCHES_OF_AVERAGING = 1
"""Launches that averaging adds to a step of a network without BatchNorm."""

WAITS = 3
"""How often the host waits for the device in an epoch of up to 50 steps, evaluation included."""
WAITS_OF_50_STEPS = 2
WAITS_OF_A_RECORDING = 1


@cache
def asked(batches: int = 2, rest: int = 37, **keys: Any) -> Asked:
    """Train the network by a recipe with some keys."""
    return ask(NETWORK, Recipe(**{"epochs": 3, **keys}), batches, rest)


def nodes(**keys: Any) -> int:
    """Return the nodes of the graph of a step."""
    found = asked(**keys)
    assert found.violations == found.beside == []
    return max(found.graphs)


@pytest.mark.parametrize("name", RECORDABLE)
def test_every_optimizer_keeps_its_budget(name: str) -> None:
    """An optimizer is recorded without a violation, with its nodes and those of its options."""
    plain = nodes(optimizer=name)
    assert plain <= NODES_OF_OPTIMIZERS.get(name, NODES_OF_A_NEW_OPTIMIZER)
    assert nodes(optimizer=name, weight_decay=0.01) <= plain + NODES_OF_WEIGHT_DECAY
    if OPTIMIZERS[name].nesterov:
        assert nodes(optimizer=name, nesterov=True) <= plain + NODES_OF_NESTEROV


def test_budgets_are_of_optimizers() -> None:
    """No budget is of an optimizer that is gone, and every one that is there has one."""
    assert NODES_OF_OPTIMIZERS.keys() == set(RECORDABLE)


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_cost_nothing(name: str) -> None:
    """A schedule changes neither the graph nor what is launched beside it."""
    assert nodes(schedule=name) == nodes()
    assert asked(schedule=name).launches == asked().launches


@pytest.mark.parametrize(
    ("keys", "budget"),
    [
        ({"gradient_clip": 1.0}, NODES_OF_CLIPPING),
        ({"label_smoothing": 0.1}, NODES_OF_SMOOTHING),
        ({"l1": 1e-4}, NODES_OF_PENALTY),
    ],
)
def test_keys_of_the_loss_keep_their_budget(keys: dict[str, Any], budget: int) -> None:
    """Clipping, smoothing and the penalty are recorded without a violation, with their nodes."""
    assert nodes(**keys) <= nodes() + budget


def steps() -> Iterator[AugmentStep]:
    """Yield each augmentation at strengths that do something, once for each of its choices."""
    for kind in STEP_KINDS.values():
        rules = rules_of(kind)
        values = {name: _strength(rule) for name, rule in rules.items() if isinstance(rule, Range)}
        choices = {name: rule for name, rule in rules.items() if isinstance(rule, Choice)}
        if not choices:
            yield kind(**values)
        for name, rule in choices.items():
            yield from (kind(**values, **{name: option}) for option in rule.options)


def _strength(rule: Range) -> float:
    strength = rule.low + (rule.high - rule.low) / 4
    return round(strength) if rule.whole else strength


@pytest.mark.parametrize("step", list(steps()), ids=repr)
def test_every_augmentation_keeps_its_budget(step: AugmentStep) -> None:
    """An augmentation adds no more launches to a chunk than its budget says, and no waiting."""
    plain, augmented = asked(), asked(augment=(step,))
    assert augmented.violations == augmented.beside == []
    assert augmented.waits == plain.waits
    budget = LAUNCHES_OF_AUGMENTATIONS.get(step.kind, LAUNCHES_OF_A_NEW_AUGMENTATION)
    assert augmented.launches - plain.launches <= budget


def test_budgets_are_of_augmentations() -> None:
    """No budget is of an augmentation that is gone, and every one that is there has one."""
    assert LAUNCHES_OF_AUGMENTATIONS.keys() == STEP_KINDS.keys()


def test_epochs_keep_their_budget() -> None:
    """An epoch launches no more than its budget says, and one more chunk no more than its own."""
    one, two = asked(CHUNK_BATCHES - 1), asked(2 * CHUNK_BATCHES - 1)
    assert one.launches <= LAUNCHES_OF_AN_EPOCH
    assert two.launches - one.launches <= LAUNCHES_OF_8_STEPS


def test_averaging_keeps_its_budget() -> None:
    """Averaging adds no more launches to a step than its budget says."""
    few, many = (
        asked(batches, averaging=0.9).launches - asked(batches).launches
        for batches in (2, CHUNK_BATCHES - 1)
    )
    assert many - few <= LAUNCHES_OF_AVERAGING * (CHUNK_BATCHES - 3)


@pytest.mark.parametrize(("steps", "budget"), [(50, 1), (51, 2), (100, 2), (101, 3)])
def test_the_host_seldom_waits(steps: int, budget: int) -> None:
    """The host waits for the device a few times in 50 steps, and once for each recording."""
    waits = [journal.waits(epoch) for epoch in asked(steps - 1, epochs=3).epochs]
    usual = WAITS + WAITS_OF_50_STEPS * (budget - 1)
    budgets = [usual + WAITS_OF_A_RECORDING, usual + WAITS_OF_A_RECORDING, usual]
    assert all(count <= most for count, most in zip(waits, budgets, strict=True))


def test_nothing_is_made_once_all_is_recorded() -> None:
    """After the graphs are recorded an epoch allocates nothing, and makes nothing anew."""
    made = {Kind.ALLOC, Kind.FREE, Kind.HOST_ALLOC, Kind.HOST_FREE, Kind.CREATE, Kind.DESTROY}
    last = asked(epochs=4).epochs[-1]
    assert [f"{each.kind} {each.name}" for each in last if each.kind in made] == []

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch.optim import SGD, Adam, Optimizer
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    ExponentialLR,
    LRScheduler,
    OneCycleLR,
    StepLR,
)

from trainer.optim.schedules import SCHEDULE_KEYS, SCHEDULES, Rates, rates_at
from trainer.recipe import Recipe

epochs = st.integers(1, 8)
steps_per_epoch = st.integers(1, 15)
learning_rates = st.floats(1e-6, 10.0)


def sgd(rate: float) -> Optimizer:
    """SGD over one number."""
    return SGD([torch.zeros(1, requires_grad=True)], lr=rate, momentum=0.9)


def adam(rate: float) -> Optimizer:
    """Adam over one number."""
    return Adam([torch.zeros(1, requires_grad=True)], lr=rate, betas=(0.9, 0.999))


def by_torch(
    optimizer: Optimizer, schedule: Callable[[Optimizer], LRScheduler], count: int
) -> Iterator[Rates]:
    """The rates that torch's scheduler sets for each of ``count`` steps of its own."""
    scheduler = schedule(optimizer)
    for _ in range(count):
        group = optimizer.param_groups[0]
        momentum = group["betas"][0] if "betas" in group else group["momentum"]
        yield Rates(float(group["lr"]), momentum)
        optimizer.step()
        scheduler.step()


def ours(recipe: Recipe, per_epoch: int) -> list[Rates]:
    """The rates of all steps of a run."""
    return [rates_at(recipe, step, per_epoch) for step in range(recipe.epochs * per_epoch)]


def assert_same(some: list[Rates], wanted: list[Rates], peak: float) -> None:
    """Torch multiplies step by step, so the last digits may differ."""
    assert len(some) == len(wanted)
    for one, other in zip(some, wanted, strict=True):
        assert one.learning_rate == pytest.approx(other.learning_rate, rel=1e-9, abs=1e-12 * peak)
        assert one.momentum == pytest.approx(other.momentum, rel=1e-12)


@given(epochs, steps_per_epoch, learning_rates, st.floats(0, 0.99), st.sampled_from([sgd, adam]))
def test_one_cycle_is_torchs(
    count: int, per_epoch: int, peak: float, warmup: float, make: Callable[[float], Optimizer]
) -> None:
    """Rate and momentum (Adam: beta1) of every step must be those of OneCycleLR."""
    total = count * per_epoch
    assume(warmup * total != 1)  # torch divides 0 by 0 there
    wanted = by_torch(
        make(peak),
        lambda optimizer: OneCycleLR(optimizer, peak, total_steps=total, pct_start=warmup),
        total,
    )
    recipe = Recipe(epochs=count, learning_rate=peak, schedule="one-cycle", warmup=warmup)
    assert_same(ours(recipe, per_epoch), list(wanted), peak)


@pytest.mark.parametrize(("warmup", "total"), [(0.5, 2), (0.1, 10), (0.25, 4)])
def test_a_warm_up_of_one_step_is_the_peak(warmup: float, total: int) -> None:
    """Where torch fails for want of a slope the first step must have the peak rate."""
    recipe = Recipe(epochs=total, learning_rate=2.0, schedule="one-cycle", warmup=warmup)
    rates = ours(recipe, 1)
    assert rates[0].learning_rate == pytest.approx(2.0)
    assert rates[0].momentum == pytest.approx(0.85)
    assert rates[-1].learning_rate == pytest.approx(2.0 / 25 / 1e4)


@given(epochs, steps_per_epoch, learning_rates)
def test_cosine_is_torchs(count: int, per_epoch: int, peak: float) -> None:
    """Every step must have the rate of CosineAnnealingLR over all steps."""
    total = count * per_epoch
    wanted = by_torch(sgd(peak), lambda optimizer: CosineAnnealingLR(optimizer, total), total)
    recipe = Recipe(epochs=count, learning_rate=peak, schedule="cosine")
    assert_same(ours(recipe, per_epoch), list(wanted), peak)


@given(
    st.sampled_from([name for name in SCHEDULES if "tail" in SCHEDULES[name].keys]),
    epochs,
    steps_per_epoch,
    learning_rates,
    st.floats(1e-3, 0.9),
)
def test_a_tail_is_flat_and_near_zero(
    name: str, count: int, per_epoch: int, peak: float, tail: float
) -> None:
    """The steps of the tail have 1 % of the peak; those before never less than it does at its end.

    They take the course of a training that has no more steps.
    """
    recipe = Recipe(epochs=count, learning_rate=peak, schedule=name, tail=tail)
    total = count * per_epoch
    before = max(1, total - round(tail * total))
    rates = [each.learning_rate for each in ours(recipe, per_epoch)]
    assert rates[before:] == [peak * 0.01] * (total - before)
    falling = rates[rates.index(max(rates)) : before]
    assert all(a >= b >= peak * 0.0099 for a, b in pairwise(falling))


def held(rates: Iterator[Rates], per_epoch: int) -> list[Rates]:
    """Each epoch's rates for all of its steps."""
    return [rate for rate in rates for _ in range(per_epoch)]


@given(epochs, steps_per_epoch, learning_rates, st.integers(1, 10), st.floats(1e-3, 1))
def test_step_is_torchs(
    count: int, per_epoch: int, peak: float, step_epochs: int, decay: float
) -> None:
    """Every epoch must have the rate of StepLR, all through."""
    wanted = by_torch(sgd(peak), lambda optimizer: StepLR(optimizer, step_epochs, decay), count)
    recipe = Recipe(
        epochs=count, learning_rate=peak, schedule="step", step_epochs=step_epochs, decay=decay
    )
    assert_same(ours(recipe, per_epoch), held(wanted, per_epoch), 0)


@given(epochs, steps_per_epoch, learning_rates, st.floats(1e-3, 1))
def test_exponential_is_torchs(count: int, per_epoch: int, peak: float, decay: float) -> None:
    """Every epoch must have the rate of ExponentialLR, all through."""
    wanted = by_torch(sgd(peak), lambda optimizer: ExponentialLR(optimizer, decay), count)
    recipe = Recipe(epochs=count, learning_rate=peak, schedule="exponential", decay=decay)
    assert_same(ours(recipe, per_epoch), held(wanted, per_epoch), 0)


def test_none_changes_nothing() -> None:
    """Without a schedule rate and momentum must be the recipe's in every step."""
    recipe = Recipe(epochs=3, learning_rate=0.2, momentum=0.7, schedule="none")
    assert set(ours(recipe, 5)) == {Rates(0.2, 0.7)}


@given(
    st.sampled_from(list(SCHEDULES)),
    epochs,
    steps_per_epoch,
    learning_rates,
    st.floats(0, 0.99),
    st.data(),
)
def test_rates_stay_between_nothing_and_the_peak(
    schedule: str, count: int, per_epoch: int, peak: float, warmup: float, data: Any
) -> None:
    """No schedule may leave 0 to the peak, nor the momentum 0 to 1."""
    recipe = Recipe(epochs=count, learning_rate=peak, schedule=schedule, warmup=warmup)
    rates = rates_at(recipe, data.draw(st.integers(0, count * per_epoch - 1)), per_epoch)
    assert 0 <= rates.learning_rate <= peak * (1 + 1e-12)
    assert 0 <= rates.momentum < 1


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_uses_the_keys_that_it_names(name: str) -> None:
    """Rates and words must follow the keys of the entry, and no other key of any schedule."""
    recipe = Recipe(epochs=9, schedule=name)
    others = {"step_epochs": 2, "decay": 0.7, "warmup": 0.6, "tail": 0.4}
    assert set(others) == set(SCHEDULE_KEYS)
    for key, value in others.items():
        changed = dataclasses.replace(recipe, **{key: value})
        uses = key in SCHEDULES[name].keys
        assert (ours(changed, 3) != ours(recipe, 3)) is uses
        assert (SCHEDULES[name].describe(changed) != SCHEDULES[name].describe(recipe)) is uses

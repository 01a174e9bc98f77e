from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from trainer.optim.flat import FlatOptimizer
from trainer.optim.optimizers import OPTIMIZERS, make_optimizer, set_rates
from trainer.optim.schedules import SCHEDULES, Rates, rates_at
from trainer.recipe import Recipe
from trainer.weights import FlatWeights

FLAT = [name for name, entry in OPTIMIZERS.items() if entry.make_flat is not None]
STEPS = 12
SIZE = 12


def flat_weights(vector: Tensor) -> FlatWeights:
    """A convolution's four filters of two weights and their biases, with these values."""
    network = nn.Sequential(nn.Conv2d(1, 4, (1, 2))).to(vector.device, vector.dtype)
    weights = FlatWeights(network)
    weights.vector.detach().copy_(vector.detach())
    return weights


def flat_optimizer(recipe: Recipe, weights: FlatWeights) -> FlatOptimizer:
    """The recipe's optimizer in the form for CUDA graphs."""
    make = OPTIMIZERS[recipe.optimizer].make_flat
    assert make is not None
    return make(weights, recipe)


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    """Recipes of all flat optimizers and schedules, which run out within the steps of the tests."""
    values: dict[str, Any] = {
        "epochs": STEPS // 3,
        "optimizer": draw(st.sampled_from(FLAT)),
        "schedule": draw(st.sampled_from(list(SCHEDULES))),
        "step_epochs": 1,
        "learning_rate": draw(st.floats(1e-6, 1.0)),
        "momentum": draw(st.sampled_from([0.0, 0.5, 0.9, 0.9999])),
        "weight_decay": draw(st.sampled_from([0.0, 1e-4, 0.1, 2.0])),
    }
    if values["optimizer"] == "sgd" and values["momentum"]:
        values["nesterov"] = draw(st.booleans())
    return Recipe(**values)


def drawn(seed: int, dtype: torch.dtype) -> tuple[Tensor, list[Tensor]]:
    """A vector to start from, and gradients of very different sizes, some of them zero."""
    generator = torch.Generator().manual_seed(seed)
    vector = torch.randn(SIZE, generator=generator, dtype=torch.float64)
    sizes = 10.0 ** torch.randint(-6, 3, (STEPS, 1), generator=generator)
    gradients = torch.randn(STEPS, SIZE, generator=generator, dtype=torch.float64) * sizes
    gradients[:, 0] = 0
    return vector.to(dtype), list(gradients.to(dtype))


def moved_by_torch(recipe: Recipe, vector: Tensor, gradients: list[Tensor]) -> Tensor:
    """Where an optimizer in torch's form takes a vector; all but Muon are torch's own."""
    if recipe.optimizer == "muon":
        return moved_by_muon(recipe, vector, gradients)
    parameter = vector.clone().requires_grad_()
    rate, decay, momentum = recipe.learning_rate, recipe.weight_decay, recipe.momentum
    optimizer: torch.optim.Optimizer
    if recipe.optimizer == "sgd":
        optimizer = torch.optim.SGD([parameter], rate, momentum, 0, decay, recipe.nesterov)
    else:
        kind = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
        optimizer = kind([parameter], rate, (momentum, 0.999), weight_decay=decay)
    (group,) = optimizer.param_groups
    for index, gradient in enumerate(gradients):
        rates = rates_at(recipe, index, 3)
        group["lr"] = rates.learning_rate
        if "betas" in group:
            group["betas"] = (rates.momentum, 0.999)
        else:
            group["momentum"] = rates.momentum
        parameter.grad = gradient.clone()
        optimizer.step()
    return parameter.detach()


def moved_by_muon(recipe: Recipe, vector: Tensor, gradients: list[Tensor]) -> Tensor:
    """Where the form of Muon that no graph records takes a vector."""
    weights = flat_weights(vector)
    optimizer = make_optimizer(recipe, weights)
    for index, gradient in enumerate(gradients):
        set_rates(optimizer, rates_at(recipe, index, 3))
        weights.vector.grad = gradient.clone()
        optimizer.step()
    return weights.vector.detach()


def moved_by_us(recipe: Recipe, vector: Tensor, gradients: list[Tensor]) -> Tensor:
    """Where ours takes it."""
    weights = flat_weights(vector)
    optimizer = flat_optimizer(recipe, weights)
    for index, gradient in enumerate(gradients):
        scalars = optimizer.scalars(index, rates_at(recipe, index, 3))
        optimizer.update(gradient, torch.tensor(scalars, dtype=vector.dtype))
    return weights.vector.detach()


@settings(max_examples=200)
@given(recipes(), st.integers(0, 2**32))
def test_a_vector_goes_where_torch_takes_it(recipe: Recipe, seed: int) -> None:
    """All optimizers and settings must give torch's numbers, but for rounding."""
    vector, gradients = drawn(seed, torch.float64)
    ours, torchs = (move(recipe, vector, gradients) for move in (moved_by_us, moved_by_torch))
    torch.testing.assert_close(ours, torchs, atol=1e-12, rtol=1e-10)


@settings(max_examples=50)
@given(recipes(), st.integers(0, 2**32))
def test_single_precision_costs_no_more_than_it_costs_torch(recipe: Recipe, seed: int) -> None:
    """What rounding does to ours must be of the size of what it does to torch's."""
    exact = moved_by_torch(recipe, *drawn(seed, torch.float64))
    vector, gradients = drawn(seed, torch.float32)
    error, torchs_error = (
        (move(recipe, vector, gradients).double() - exact).abs().max()
        for move in (moved_by_us, moved_by_torch)
    )
    assert error <= 10 * torchs_error + 1e-5 * (1 + exact.abs().max())


@pytest.mark.parametrize("optimizer", FLAT)
def test_a_step_keeps_to_its_state(optimizer: Any) -> None:
    """Putting the state back must undo steps to the last bit, and gradients stay as they are."""
    recipe = Recipe(optimizer=optimizer, weight_decay=0.1)
    vector, gradients = drawn(1, torch.float32)
    weights = flat_weights(vector)
    made = flat_optimizer(recipe, weights)
    scalars = torch.tensor(made.scalars(0, Rates(0.1, 0.9)))
    made.update(gradients[0], scalars)
    kept = [tensor.clone() for tensor in made.state]
    results = []
    for _ in range(2):
        for tensor, value in zip(made.state, kept, strict=True):
            tensor.copy_(value)
        for gradient in gradients:
            before = gradient.clone()
            made.update(gradient, scalars)
            assert torch.equal(gradient, before)
        results.append(weights.vector.detach().clone())
    assert torch.equal(*results)
    assert not torch.equal(results[0], kept[0])


@pytest.mark.parametrize("optimizer", FLAT)
def test_a_rate_of_zero_moves_nothing(optimizer: Any) -> None:
    """Where a schedule ends in nothing, weights without a gradient included, no weight may move."""
    recipe = Recipe(optimizer=optimizer, weight_decay=0.1)
    vector, gradients = drawn(2, torch.float32)
    weights = flat_weights(vector)
    made = flat_optimizer(recipe, weights)
    for step, gradient in enumerate(gradients):
        made.update(gradient, torch.tensor(made.scalars(step, Rates(0.0, 0.0))))
    assert torch.equal(weights.vector, vector)


@pytest.mark.parametrize("optimizer", FLAT)
def test_no_update_looks_at_its_numbers(optimizer: Any) -> None:
    """On a device without numbers it must run as well: then it waits for none anywhere."""
    vector = torch.empty(SIZE, device="meta")
    made = flat_optimizer(Recipe(optimizer=optimizer, weight_decay=0.1), flat_weights(vector))
    count = len(made.scalars(0, Rates(0.1, 0.9)))
    made.update(torch.empty_like(vector), torch.empty(count, device="meta"))


@pytest.mark.gpu
@pytest.mark.parametrize("optimizer", FLAT)
@pytest.mark.parametrize("nesterov", [False, True])
def test_cuda_takes_a_vector_to_the_same_place(
    optimizer: Any, nesterov: bool, cuda: torch.device
) -> None:
    """The device must give the CPU's numbers, but for rounding."""
    recipe = Recipe(
        epochs=STEPS // 3,
        optimizer=optimizer,
        weight_decay=0.1,
        nesterov=nesterov and optimizer == "sgd",
    )
    vector, gradients = drawn(3, torch.float64)
    wanted = moved_by_us(recipe, vector, gradients)
    weights = flat_weights(vector.to(cuda))
    made = flat_optimizer(recipe, weights)
    for index, gradient in enumerate(gradients):
        scalars = made.scalars(index, rates_at(recipe, index, 3))
        made.update(gradient.to(cuda), torch.tensor(scalars, dtype=torch.float64, device=cuda))
    torch.testing.assert_close(weights.vector.detach().cpu(), wanted, atol=1e-12, rtol=1e-10)

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from tests.trainer.small_networks import CLASSES, Sharing, assert_same_state, convolutional, digits
from trainer.augment import Affine, Perspective
from trainer.backends.eager import EagerStep
from trainer.batches import Batches
from trainer.optim.optimizers import OPTIMIZERS, make_optimizer, set_rates
from trainer.optim.schedules import Rates, rates_at
from trainer.recipe import Recipe
from trainer.weights import AveragedWeights, FlatWeights

STEPS = 6


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    """Recipes of all optimizers, with and without the other keys of loss and gradient."""
    values: dict[str, Any] = {
        "epochs": 1,
        "optimizer": draw(st.sampled_from(list(OPTIMIZERS))),
        "schedule": draw(st.sampled_from(["none", "one-cycle", "cosine"])),
        "learning_rate": draw(st.floats(1e-3, 0.1)),
        "momentum": draw(st.sampled_from([0.0, 0.5, 0.9])),
        "weight_decay": draw(st.sampled_from([0.0, 1e-4, 0.1])),
        "l1": draw(st.sampled_from([0.0, 0.0, 1e-3, 0.1])),
        "gradient_clip": draw(st.sampled_from([0.0, 0.01, 0.5])),
        "label_smoothing": draw(st.sampled_from([0.0, 0.1])),
    }
    if values["optimizer"] == "sgd" and values["momentum"]:
        values["nesterov"] = draw(st.booleans())
    return Recipe(**values)


def batches(count: int = STEPS) -> Iterator[tuple[Tensor, Tensor]]:
    """Digits in double precision, in which rounding cannot hide a wrong formula."""
    training, _, normalisation = digits()
    for index, (pixels, labels) in enumerate(Batches(training, normalisation, Recipe())):
        if index < count:
            yield pixels.double(), labels


class PlainMuon(torch.optim.AdamW):
    """AdamW over separate parameters, but for the matrices, which it moves as Muon's paper says."""

    def __init__(self, parameters: list[nn.Parameter], recipe: Recipe) -> None:
        betas = (recipe.momentum, 0.999)
        super().__init__(
            parameters, recipe.learning_rate, betas, weight_decay=recipe.weight_decay, foreach=False
        )

    def step(self, closure: Any = None) -> Any:
        (group,) = self.param_groups
        rate, momentum, decay = group["lr"], group["betas"][0], group["weight_decay"]
        moved = {}
        for weight in group["params"]:
            if weight.dim() != 4 or weight.grad is None:  # no test network is depthwise
                continue
            state = self.state[weight]
            mean = state.get("exp_avg", torch.zeros_like(weight))
            mean = momentum * mean + (1 - momentum) * weight.grad
            matrix = ((1 - momentum) * weight.grad + momentum * mean).flatten(1)
            matrix = matrix / max(float(matrix.norm()), 1e-7)
            for _ in range(5):
                square = matrix @ matrix.T
                matrix = 3.4445 * matrix + (-4.775 * square + 2.0315 * square @ square) @ matrix
            size = 0.2 * max(matrix.shape) ** 0.5
            moved[weight] = (1 - rate * decay) * weight.detach() - rate * size * matrix.view_as(
                weight
            )
        super().step(closure)
        for weight, value in moved.items():
            weight.data.copy_(value)


def plain_optimizer(recipe: Recipe, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    """The plain optimizer over separate parameters."""
    rate, decay, momentum = recipe.learning_rate, recipe.weight_decay, recipe.momentum
    if recipe.optimizer == "muon":
        return PlainMuon(parameters, recipe)
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(
            parameters, rate, momentum, 0, decay, recipe.nesterov, foreach=False, fused=False
        )
    kind = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
    betas = (momentum, 0.999)
    return kind(parameters, rate, betas, weight_decay=decay, foreach=False, fused=False)


def train_by_torch(network: nn.Module, recipe: Recipe) -> None:
    """The same steps as everybody writes them."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    optimizer = plain_optimizer(recipe, parameters)
    for index, (pixels, labels) in enumerate(batches()):
        set_rates(optimizer, rates_at(recipe, index, STEPS))
        optimizer.zero_grad()
        loss = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)(network(pixels), labels)
        loss = loss + recipe.l1 * sum(parameter.abs().sum() for parameter in parameters)
        loss.backward()
        if recipe.gradient_clip:
            nn.utils.clip_grad_norm_(parameters, recipe.gradient_clip)
        optimizer.step()


def train_flat(network: nn.Module, recipe: Recipe) -> None:
    """The same steps as the training loop takes them."""
    step = EagerStep(network, FlatWeights(network), recipe)
    for index, (pixels, labels) in enumerate(batches()):
        step(pixels, labels, rates_at(recipe, index, STEPS))


def assert_close_state(first: nn.Module, second: nn.Module) -> None:
    """Every number must be the same but for rounding in double precision."""
    for (name, one), other in zip(
        first.state_dict().items(), second.state_dict().values(), strict=True
    ):
        torch.testing.assert_close(one, other, atol=1e-9, rtol=1e-7, msg=name)


@settings(max_examples=40)
@given(recipes())
def test_one_flat_vector_learns_what_separate_parameters_do(recipe: Recipe) -> None:
    """All keys of loss, gradient and update must give torch's weights and statistics."""
    network = convolutional().double().train()
    other = copy.deepcopy(network)
    train_flat(network, recipe)
    train_by_torch(other, recipe)
    assert_close_state(network, other)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_shared_unused_and_frozen_parameters_are_no_trouble(optimizer: Any) -> None:
    """A shared one must get the sum of its gradients, an unused or frozen one stay as it is."""
    recipe = Recipe(optimizer=optimizer, learning_rate=0.05, gradient_clip=0.1)
    network = Sharing().double().train()
    other = copy.deepcopy(network)
    kept = {
        name: t.clone()
        for name, t in network.state_dict().items()
        if name.startswith(("never", "frozen"))
    }
    train_flat(network, recipe)
    train_by_torch(other, recipe)
    assert_close_state(network, other)
    assert_same_state({name: network.state_dict()[name] for name in kept}, kept)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.6])
def test_the_loss_is_the_smoothed_cross_entropy(smoothing: float) -> None:
    """The target must be one minus the share, and the share spread over all classes."""
    pixels, labels = next(batches())
    network = convolutional().double().train()
    logits = network(pixels)
    target = (1 - smoothing) * F.one_hot(labels, CLASSES) + smoothing / CLASSES
    wanted = -(target * logits.log_softmax(dim=1)).sum(dim=1).mean()
    by_torch = nn.CrossEntropyLoss(label_smoothing=smoothing)(logits, labels)
    step = EagerStep(network, FlatWeights(network), Recipe(label_smoothing=smoothing))
    loss, right = step(pixels, labels, Rates(0.1, 0.9))
    torch.testing.assert_close(loss, wanted.detach())
    torch.testing.assert_close(loss, by_torch.detach())
    assert int(right) == int((logits.argmax(dim=1) == labels).sum())
    assert not loss.requires_grad
    assert loss.shape == right.shape == ()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_rates_reach_the_optimizer(optimizer: Any) -> None:
    """Learning rate and momentum (Adam: beta1) must be those of the step, the rest stay."""
    weights = FlatWeights(convolutional())
    made = make_optimizer(Recipe(optimizer=optimizer, weight_decay=0.2), weights)
    set_rates(made, Rates(0.125, 0.75))
    (group,) = made.param_groups
    assert group["lr"] == 0.125
    assert group["weight_decay"] == 0.2
    assert group["betas"] == (0.75, 0.999) if "betas" in group else group["momentum"] == 0.75
    assert group.get("fused", True) is True


def test_a_clipped_step_is_no_longer_than_allowed() -> None:
    """With plain SGD at rate 1 the whole network must move by the clip norm, not each layer."""
    pixels, labels = next(batches())
    network = convolutional().double().train()
    weights = FlatWeights(network)
    before = weights.vector.detach().clone()
    recipe = Recipe(optimizer="sgd", momentum=0, gradient_clip=1e-3)
    EagerStep(network, weights, recipe)(pixels, labels, Rates(1.0, 0.0))
    assert (weights.vector - before).norm().item() == pytest.approx(1e-3, rel=1e-3)


@pytest.mark.gpu
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_no_step_waits_for_the_device(optimizer: Any, cuda: torch.device) -> None:
    """After a first epoch, batches, steps and averages must run without synchronising."""
    training, _, normalisation = digits()
    augment = (Affine(degrees=10, translate=0.1), Perspective(distortion=0.2))
    recipe = Recipe(
        optimizer=optimizer, augment=augment, gradient_clip=1.0, label_smoothing=0.1, averaging=0.9
    )
    network = convolutional(dropout=0.1).to(cuda).train()
    weights = FlatWeights(network)
    average = AveragedWeights(weights, network, recipe.averaging)
    step = EagerStep(network, weights, recipe)
    made = Batches(training.to(cuda), normalisation, recipe)
    for mode in ("default", "error"):
        torch.cuda.synchronize()
        torch.cuda.set_sync_debug_mode(mode)
        try:
            for index, (pixels, labels) in enumerate(made):
                step(pixels, labels, rates_at(recipe, index, len(made)))
                average.update()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    assert bool(weights.vector.isfinite().all())

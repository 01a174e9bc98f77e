from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

from tests.trainer.small_networks import (
    CLASSES,
    assert_same_state,
    cloned_state,
    convolutional,
    digits,
    figures,
)
from trainer.augment import Affine
from trainer.backends.choose import Backend
from trainer.batches import normalise
from trainer.clean_statistics import CleanStatistics
from trainer.loop import train
from trainer.metrics import accuracy
from trainer.recipe import Recipe

RECIPE = Recipe(
    epochs=2,
    batch_size=100,
    learning_rate=0.02,
    averaging=0.9,
    augment=(Affine(degrees=40, translate=0.2),),
    clean_statistics=300,
)


class Twice(nn.Module):
    """A network that applies one norm twice."""

    def __init__(self) -> None:
        super().__init__()
        self.start, self.middle = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 1, bias=False)
        self.norm, self.end = nn.BatchNorm2d(4), nn.Linear(4 * 36, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.start(x)).relu()
        return self.end(self.norm(self.middle(x)).flatten(1))


def test_the_first_norm_has_the_statistics_of_all_its_maps() -> None:
    """Mean and variance over all batches at once, and counts stay; measuring twice is the same."""
    training, _, of_pixels = digits()
    network = convolutional(dropout=0.5)
    count = len(training)
    recipe = replace(RECIPE, clean_statistics=count)
    clean = CleanStatistics(network, training, of_pixels, recipe)
    network.train()
    clean.measure(network)
    measured = cloned_state(network)
    with torch.no_grad():
        maps = network[0](normalise(training.pixels / 255, of_pixels))
    flat = maps.transpose(0, 1).flatten(1)
    torch.testing.assert_close(measured["1.running_mean"], flat.mean(1), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(measured["1.running_var"], flat.var(1), atol=1e-5, rtol=1e-3)
    assert int(measured["1.num_batches_tracked"]) == 0
    assert all(module.training for module in network.modules())
    clean.measure(network)
    assert_same_state(network.state_dict(), measured)


@pytest.mark.parametrize("momentum", [0.1, 0.7])
def test_the_momentum_does_not_matter(momentum: float) -> None:
    """A norm that is applied once has the same statistics with any momentum."""
    training, _, of_pixels = digits()
    states = []
    for each in (momentum, None):
        network = convolutional()
        for norm in network.modules():
            if isinstance(norm, nn.BatchNorm2d):
                norm.momentum = each
        CleanStatistics(network, training, of_pixels, RECIPE).measure(network)
        states.append(network.state_dict())
    torch.testing.assert_close(*states, atol=1e-5, rtol=1e-4)


def test_a_norm_that_is_applied_twice_is_between_both() -> None:
    """No part of the zeros that the statistics begin with stays in them."""
    training, _, of_pixels = digits()
    network = Twice()
    with torch.no_grad():
        network.start.bias.fill_(50.0)
        network.middle.weight.fill_(0.0)
    network.norm.momentum = 0.5
    CleanStatistics(network, training, of_pixels, RECIPE).measure(network)
    assert network.norm.running_mean is not None
    # The second application, of maps of 0, has half, and the first one half of the rest: a third.
    assert ((network.norm.running_mean * 3 - 50).abs() < 5).all()


@pytest.mark.parametrize("backend", [Backend.EAGER, Backend.COMPILED])
def test_training_learns_the_same_and_is_judged_with_the_statistics(backend: Backend) -> None:
    """Losses stay to the last bit, other statistics are kept, and they are those that are judged.

    Dropout has no part in them.
    """
    training, validation, of_pixels = digits()
    networks = [convolutional(dropout=0.3) for _ in range(3)]
    recipes = [RECIPE, replace(RECIPE, clean_statistics=0), RECIPE]
    runs = [
        list(train(network, training, validation, of_pixels, recipe, backend))
        for network, recipe in zip(networks, recipes, strict=True)
    ]
    assert [epoch.loss for epoch in runs[0]] == [epoch.loss for epoch in runs[1]]
    clean, running, again = (cloned_state(network) for network in networks)
    assert torch.equal(clean["0.weight"], running["0.weight"])
    assert not torch.allclose(clean["1.running_var"], running["1.running_var"], rtol=1e-3)
    assert_same_state(clean, again)
    assert figures(iter(runs[0])) == figures(iter(runs[2]))
    assert accuracy(networks[0], validation, of_pixels) == pytest.approx(
        runs[0][-1].accuracy, abs=0.004
    )
    measured = copy.deepcopy(networks[0])
    CleanStatistics(measured, training, of_pixels, RECIPE).measure(measured)
    torch.testing.assert_close(measured.state_dict(), clean, atol=1e-4, rtol=1e-3)

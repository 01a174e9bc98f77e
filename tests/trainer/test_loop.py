from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.trainer.small_networks import (
    CLASSES,
    Sharing,
    assert_same_state,
    cloned_state,
    convolutional,
    digits,
    figures,
    some_digits,
)
from trainer.augment import Affine
from trainer.backends.choose import Backend
from trainer.batches import Batches
from trainer.data import Normalisation, normalisation, open_dataset
from trainer.loop import train
from trainer.metrics import accuracy, predict
from trainer.optim.optimizers import OPTIMIZERS
from trainer.recipe import Recipe

DATA = os.environ.get("FLYWEIGHT_DATA")
SHORT = Recipe(
    epochs=2, batch_size=64, learning_rate=0.02, averaging=0.9, augment=(Affine(degrees=5),), seed=3
)


def test_two_epochs_learn_the_digits() -> None:
    """The golden run: the loss must fall and accuracy leave chance far behind."""
    recipe = Recipe(epochs=2, batch_size=32, learning_rate=0.03)
    first, second = train(convolutional(), *digits(), recipe)
    assert (first.number, second.number) == (0, 1)
    assert second.loss < 0.7 * first.loss
    assert second.train_accuracy > first.train_accuracy
    assert second.accuracy > 0.85
    assert 0 < second.seconds < 60
    assert json.loads(json.dumps(second.to_dict())) == second.to_dict()


def test_the_loop_is_the_one_that_everybody_writes() -> None:
    """Torch's optimizer and OneCycleLR over the same batches must give the same network."""
    training, validation, of_pixels = digits()
    recipe = Recipe(epochs=2, batch_size=256, optimizer="sgd", learning_rate=0.05, gradient_clip=1)
    network, other = convolutional(), convolutional()
    by_us = figures(train(network, training, validation, of_pixels, recipe))
    batches = Batches(training, of_pixels, recipe)
    optimizer = torch.optim.SGD(other.parameters(), 0.05, 0.9)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.05, total_steps=2 * len(batches))
    for loss, _, share in by_us:
        loss_sum = 0.0
        for pixels, labels in batches:
            optimizer.zero_grad()
            batch_loss = nn.functional.cross_entropy(other(pixels), labels)
            torch.autograd.backward(batch_loss)
            nn.utils.clip_grad_norm_(other.parameters(), 1)
            optimizer.step()
            scheduler.step()
            loss_sum += batch_loss.item() * len(labels)
        assert loss == pytest.approx(loss_sum / len(training), rel=1e-3)
        assert share == pytest.approx(accuracy(other, validation, of_pixels), abs=0.01)
    for one, two in zip(network.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(one, two, atol=1e-3, rtol=1e-2)


def test_without_normalisation_pixels_stay_as_they_are() -> None:
    """The recipe decides for training and evaluation, whatever was measured of the images."""
    training, validation, measured = digits()
    identity = Normalisation((0.0,), (1.0,))
    network, other = convolutional(), convolutional()
    raw = Recipe.from_dict({**SHORT.to_dict(), "normalise": False})
    found = figures(train(network, training, validation, measured, raw))
    assert found == figures(train(other, training, validation, identity, SHORT))
    assert found != figures(train(convolutional(), training, validation, measured, SHORT))
    assert accuracy(network, validation, identity) == found[-1][-1]


def test_the_same_seed_gives_the_same_numbers() -> None:
    """Figures and weights must repeat to the last bit, another seed must give others."""
    first, second, third = (convolutional(dropout=0.2) for _ in range(3))
    wanted = figures(train(first, *digits(), SHORT))
    torch.manual_seed(99)
    assert figures(train(second, *digits(), SHORT)) == wanted
    assert_same_state(first.state_dict(), second.state_dict())
    other = Recipe.from_dict({**SHORT.to_dict(), "seed": 4})
    assert figures(train(third, *digits(), other)) != wanted


def test_runs_take_turns_without_noticing() -> None:
    """Two runs, one epoch each in turn, must give what each gives alone."""
    other = Recipe.from_dict({**SHORT.to_dict(), "seed": 8, "optimizer": "sgd", "averaging": 0})
    alone = [figures(train(convolutional(dropout=0.2), *digits(), r)) for r in (SHORT, other)]
    runs = [train(convolutional(dropout=0.2), *digits(), recipe) for recipe in (SHORT, other)]
    pairs = list(zip(*runs, strict=True))
    assert [figures(iter(run)) for run in zip(*pairs, strict=True)] == alone


def test_what_the_caller_does_in_between_changes_nothing() -> None:
    """Random numbers, modes, gradients switched off: the run must not notice, nor the caller."""
    wanted = figures(train(convolutional(dropout=0.2), *digits(), SHORT))
    network, epochs = convolutional(dropout=0.2), []
    torch.manual_seed(11)
    drawn = [torch.rand(3)]
    with torch.no_grad():
        for epoch in train(network, *digits(), SHORT):
            epochs.append(epoch)
            drawn.append(torch.rand(3))
            network.eval()
            predict(network, digits()[1], digits()[2])
        assert not torch.is_grad_enabled()
    assert figures(iter(epochs)) == wanted
    torch.manual_seed(11)
    assert torch.equal(torch.cat(drawn), torch.rand(9))


@pytest.mark.parametrize("averaging", [0.0, 0.98])
def test_the_network_holds_the_weights_that_were_judged(averaging: float) -> None:
    """At every epoch a fresh network with those numbers must repeat the accuracy exactly."""
    training, validation, of_pixels = digits()
    recipe = Recipe(epochs=3, learning_rate=0.02, averaging=averaging)
    network = convolutional()
    for epoch in train(network, training, validation, of_pixels, recipe):
        fresh = convolutional(seed=1)
        fresh.load_state_dict(network.state_dict())
        assert accuracy(fresh, validation, of_pixels) == epoch.accuracy
    assert_same_state(network.state_dict(), fresh.state_dict())
    assert accuracy(network, validation, of_pixels) == epoch.accuracy


@pytest.mark.parametrize("averaging", [0.0, 0.98])
def test_a_closed_run_leaves_what_it_last_showed(averaging: float) -> None:
    """Closing after the second epoch must keep its evaluated weights."""
    recipe = Recipe(epochs=5, learning_rate=0.02, averaging=averaging)
    network = convolutional()
    run = train(network, *digits(), recipe)
    next(run)
    epoch = next(run)
    shown = cloned_state(network)
    run.close()
    assert_same_state(network.state_dict(), shown)
    assert accuracy(network, *digits()[1:]) == epoch.accuracy


def test_averaging_changes_what_is_judged_but_not_what_is_learned() -> None:
    """Losses must be the same with and without, the weights that remain others."""
    plain = Recipe(epochs=3, learning_rate=0.02)
    averaged = Recipe(epochs=3, learning_rate=0.02, averaging=0.99)
    networks = convolutional(), convolutional()
    losses = [
        [epoch.loss for epoch in train(network, *digits(), recipe)]
        for network, recipe in zip(networks, (plain, averaged), strict=True)
    ]
    assert losses[0] == losses[1]
    first, second = (network.state_dict() for network in networks)
    for name in ("0.weight", "1.weight", "1.running_mean", "6.running_var"):
        assert not torch.allclose(first[name], second[name])


def test_a_trained_network_is_an_ordinary_one() -> None:
    """Afterwards all numbers must lie contiguous in memory of their own, and train again."""
    network = convolutional()
    pointers = {tensor.untyped_storage().data_ptr() for tensor in network.state_dict().values()}
    for _ in range(2):
        list(train(network, *some_digits(100), SHORT))
        state = network.state_dict().values()
        assert len({tensor.untyped_storage().data_ptr() for tensor in state}) == len(pointers)
        assert all(tensor.is_contiguous() for tensor in state)
        assert all(tensor.untyped_storage().nbytes() == tensor.nbytes for tensor in state)


@pytest.mark.parametrize("count", [2, 5, 65, 130])
def test_any_number_of_images_can_be_learned_from(count: int) -> None:
    """Few images, and a last batch of one before BatchNorm on 1x1 maps, must be no trouble."""
    network = nn.Sequential(
        nn.Conv2d(1, 6, 8), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(), nn.Linear(6, CLASSES)
    )
    epochs = list(train(network, *some_digits(count), SHORT))
    assert len(epochs) == 2
    assert all(0 <= epoch.train_accuracy <= 1 and epoch.loss > 0 for epoch in epochs)


def test_networks_with_shared_and_unused_parameters_are_trained() -> None:
    """Neither weights used twice nor weights never used may stop a run, averaged or not."""
    epochs = list(train(Sharing(), *digits(), SHORT))
    assert epochs[1].loss < epochs[0].loss


@pytest.mark.skipif(DATA is None, reason="FLYWEIGHT_DATA is not set")
def test_one_epoch_learns_real_mnist() -> None:
    """6,000 images must be enough for more than 80 %."""
    training, validation = open_dataset("mnist", Path(DATA or "")).search_split()
    part, judged = training.subset(torch.arange(6000)), validation.subset(torch.arange(2000))
    network = nn.Sequential(nn.MaxPool2d(2), *convolutional())
    recipe = Recipe(epochs=1, batch_size=64, learning_rate=0.03)
    (epoch,) = train(network, part, judged, normalisation(training), recipe)
    assert epoch.accuracy > 0.8


@pytest.mark.gpu
def test_a_device_learns_what_the_cpu_learns(accelerator: torch.device) -> None:
    """One epoch must give about the CPU's accuracy, and on the device the same one twice."""
    training, validation, of_pixels = digits()
    recipe = Recipe(epochs=1, batch_size=32, learning_rate=0.03)
    (by_cpu,) = train(convolutional(), training, validation, of_pixels, recipe)
    on_device = training.to(accelerator), validation.to(accelerator), of_pixels
    networks = [copy.deepcopy(convolutional(dropout=0.1)).to(accelerator) for _ in range(2)]
    runs = [figures(train(network, *on_device, recipe)) for network in networks]
    assert abs(runs[0][0][2] - by_cpu.accuracy) < 0.1
    assert runs[0] == runs[1]
    assert_same_state(networks[0].state_dict(), networks[1].state_dict())


@pytest.mark.gpu
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_device_takes_the_cpus_steps(optimizer: Any, accelerator: torch.device) -> None:
    """Three steps from the same weights must lead to the same weights but for rounding."""
    training, validation, of_pixels = some_digits(96)
    # The order of the images follows the device's generator: in a single batch there is none.
    recipe = Recipe(epochs=3, batch_size=96, optimizer=optimizer, learning_rate=0.01)
    network = convolutional()
    other = copy.deepcopy(network).to(accelerator)
    figures(train(network, training, validation, of_pixels, recipe, Backend.EAGER))
    on_device = training.to(accelerator), validation.to(accelerator), of_pixels
    figures(train(other, *on_device, recipe, Backend.EAGER))
    for one, two in zip(network.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(one, two.cpu(), atol=1e-3, rtol=1e-2)


@pytest.mark.gpu
def test_a_device_judges_as_the_cpu_does(accelerator: torch.device) -> None:
    """A network must give the same classes on both, in batches of any size."""
    training, _, of_pixels = digits()
    network = convolutional().eval()
    wanted = predict(network, training, of_pixels)
    found = predict(network.to(accelerator), training.to(accelerator), of_pixels)
    assert (found.cpu() == wanted).double().mean() > 0.999

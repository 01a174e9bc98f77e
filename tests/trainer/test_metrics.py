from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.trainer.small_networks import convolutional, digits
from trainer.data.images import Images
from trainer.errors import DataError
from trainer.metrics import accuracy, floor, predict, share_correct
from trainer.weights import FlatWeights


class Answers(nn.Module):
    """Gives the logits it was made with, in the order of the images."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self._logits = logits
        self._next = 0

    def forward(self, pixels: Tensor) -> Tensor:
        """Maps (n, c, h, w) to the next (n, classes)."""
        self._next += len(pixels)
        return self._logits[self._next - len(pixels) : self._next]


def test_predictions_are_those_of_a_plain_forward() -> None:
    """In evaluation mode, over several batches, each image must get its greatest logit's class."""
    training, _, normalisation = digits()
    network = convolutional(dropout=0.5)
    with torch.no_grad():
        scaled = (training.pixels / 255 - normalisation.mean[0]) / normalisation.std[0]
        wanted = network.eval()(scaled).argmax(dim=1)
    classes = predict(network.train(), training, normalisation)
    assert len(classes) > 1000
    assert torch.equal(classes, wanted)
    assert classes.dtype == torch.int64
    assert not classes.is_inference()
    share = (wanted == training.labels).double().mean().item()
    assert accuracy(network, training, normalisation) == pytest.approx(share, abs=1e-12)


class Crowded(nn.Module):
    """A network that has memory for so many images at a time."""

    def __init__(self, most: int, words: str) -> None:
        super().__init__()
        self.inside = convolutional()
        self._most = most
        self._words = words
        self.taken: list[int] = []

    def forward(self, pixels: Tensor) -> Tensor:
        """Maps (n, 1, 8, 8) to (n, 10)."""
        if len(pixels) > self._most:
            raise RuntimeError(self._words)
        self.taken.append(len(pixels))
        logits: Tensor = self.inside(pixels)
        return logits


@settings(max_examples=10)
@given(st.integers(100, 600), st.sampled_from(["CUDA out of memory", "unable to find an engine"]))
def test_evaluation_halves_its_batches_where_memory_is_short(most: int, words: str) -> None:
    """Every image must get its class once, in batches that the device can hold."""
    training, _, normalisation = digits()
    network = Crowded(most, words)
    found = predict(network, training, normalisation)
    assert torch.equal(found, predict(network.inside, training, normalisation))
    assert sum(network.taken) == len(training)
    assert network.taken[0] > min(most, 500) // 2


def test_evaluation_gives_up_where_halving_does_not_help() -> None:
    """Too little memory for a few images, or another error, is raised."""
    training, _, normalisation = digits()
    with pytest.raises(RuntimeError, match="out of memory"):
        predict(Crowded(50, "CUDA out of memory"), training, normalisation)
    network = Crowded(200, "another error")
    with pytest.raises(RuntimeError, match="another error"):
        predict(network, training, normalisation)
    assert network.taken == []


def test_evaluation_leaves_every_mode_as_it_was() -> None:
    """Also where a part of the network was in another mode than the whole, and after an error."""
    _, validation, normalisation = digits()
    network = convolutional(dropout=0.5).train()
    network[1].eval()
    modes = [module.training for module in network.modules()]
    predict(network, validation, normalisation)
    assert [module.training for module in network.modules()] == modes
    wrong = Images(validation.pixels.repeat(1, 3, 1, 1), validation.labels)
    with pytest.raises(RuntimeError):
        predict(network, wrong, normalisation)
    assert [module.training for module in network.modules()] == modes


def test_evaluation_changes_no_number_and_keeps_no_graph() -> None:
    """Running statistics and gradients must be untouched."""
    _, validation, normalisation = digits()
    network = convolutional().train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    accuracy(network, validation, normalisation)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_flat_and_plain_weights_agree_to_the_last_bit() -> None:
    """Where weights lie in memory must not decide a close call."""
    _, validation, normalisation = digits()
    plain, flat = convolutional(seed=3), convolutional(seed=3)
    FlatWeights(flat)
    logits: list[Tensor] = []
    for network in (plain, flat):
        network.register_forward_hook(lambda module, inputs, output: logits.append(output))
        predict(network, validation, normalisation)
    assert torch.equal(logits[0], logits[1])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_logits_that_are_not_finite_give_no_class(value: float) -> None:
    """Such an image must count as wrong, whatever its label and whichever logit it is."""
    _, validation, normalisation = digits()
    some = validation.subset(torch.arange(20))
    logits = torch.eye(10)[some.labels] * 5
    logits[3, 7] = value
    classes = predict(Answers(logits), some, normalisation)
    assert classes[3] == -1
    assert (classes == some.labels).sum() == 19
    assert accuracy(Answers(logits), some, normalisation) == 0.95


def test_no_images_are_refused() -> None:
    """A share of nothing must be refused with a sentence of ours."""
    with pytest.raises(DataError, match="at least one"):
        share_correct(torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.int64))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.integers(1, 40))
def test_the_floor_is_the_lowest_of_the_last(accuracies: list[float], epochs: int) -> None:
    """It must look at exactly the last epochs, at all where there are fewer."""
    last = [value for index, value in enumerate(accuracies) if index >= len(accuracies) - epochs]
    assert floor(accuracies, epochs) == sorted(last)[0]
    assert floor(tuple(accuracies), epochs) == floor(accuracies, epochs)


@pytest.mark.parametrize(("accuracies", "epochs"), [([], 5), ([0.5], 0), ([0.5], -1)])
def test_a_floor_of_nothing_is_refused(accuracies: list[float], epochs: int) -> None:
    """Neither an empty series nor an empty window has a floor."""
    with pytest.raises(ValueError, match="a floor needs at least one epoch"):
        floor(accuracies, epochs)

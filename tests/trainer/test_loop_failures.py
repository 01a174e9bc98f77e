from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.trainer.small_networks import CLASSES, convolutional, digits, figures
from trainer.backends.choose import Backend
from trainer.errors import DataError, Diverged, OutOfMemory, TrainerError
from trainer.loop import Epoch, train
from trainer.recipe import Recipe


@pytest.mark.parametrize(("optimizer", "weight_decay"), [("sgd", 0), ("adamw", 10)])
def test_a_loss_that_explodes_is_said(optimizer: Any, weight_decay: float) -> None:
    """A rate far too high must end in Diverged, with the epoch in which it happened."""
    network = nn.Sequential(
        *(nn.Flatten(), nn.Linear(64, 16), nn.Linear(16, 16), nn.Linear(16, CLASSES))
    )
    recipe = Recipe(
        epochs=60,
        batch_size=1024,
        optimizer=optimizer,
        learning_rate=100,
        weight_decay=weight_decay,
        schedule="none",
    )
    epochs: list[Epoch] = []
    with pytest.raises(Diverged) as stop:
        epochs.extend(train(network, *digits(), recipe))
    assert stop.value.epoch == len(epochs) < 60


class Faulty(nn.Module):
    """A linear network that does something else besides, in one mode alone."""

    def __init__(self, training: bool, fault: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.linear = nn.Linear(64, CLASSES)
        self._mode = training
        self._fault = fault

    def forward(self, pixels: Tensor) -> Tensor:
        """Maps (n, 1, 8, 8) to (n, 10)."""
        logits: Tensor = self.linear(pixels.flatten(1))
        return self._fault(logits) if self.training == self._mode else logits


@pytest.mark.parametrize("averaging", [0.0, 0.9])
def test_answers_that_are_no_numbers_are_said(averaging: float) -> None:
    """A finite loss is not enough: an evaluation in NaN must not pass for a bad accuracy."""
    network = Faulty(False, lambda logits: logits / 0 - logits / 0)
    with pytest.raises(Diverged) as stop:
        list(train(network, *digits(), Recipe(epochs=2, averaging=averaging)))
    assert stop.value.epoch == 0


def test_a_lost_epoch_is_not_run_to_its_end() -> None:
    """A loss in NaN must stop the run after some dozens of steps, not after hundreds."""
    network, calls = Faulty(True, lambda logits: logits * float("nan")), []
    network.register_forward_hook(lambda module, inputs, output: calls.append(len(output)))
    with pytest.raises(Diverged):
        list(train(network, *digits(), Recipe(batch_size=4)))
    assert 1 <= len(calls) <= 100


def too_much(logits: Tensor) -> Tensor:
    """Asks the CPU's allocator for more than an address can name."""
    return torch.empty(2**59) + logits.sum()


def cuda_says_no(logits: Tensor) -> Tensor:
    """Fails as a CUDA allocation does."""
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nSee more")


def windows_says_no(logits: Tensor) -> Tensor:
    """Fails as the CPU's allocator does elsewhere."""
    raise RuntimeError("[enforce fail] data. DefaultCPUAllocator: not enough memory: you tried")


@pytest.mark.parametrize("training", [True, False], ids=["step", "evaluation"])
@pytest.mark.parametrize("fault", [too_much, cuda_says_no, windows_says_no])
def test_no_memory_is_said(training: bool, fault: Callable[[Tensor], Tensor]) -> None:
    """Whoever had no memory left, in a step or in the evaluation, it must be OutOfMemory."""
    with pytest.raises(
        OutOfMemory, match=r"cpu ran out of memory .* batches of 128 images"
    ) as stop:
        list(train(Faulty(training, fault), *digits(), Recipe(epochs=1)))
    assert "\n" not in str(stop.value)


class NoEngines(nn.Module):
    """A convolutional network whose calls with these numbers, from 0, find no engine."""

    def __init__(self, failing: set[int]) -> None:
        super().__init__()
        self.inside = convolutional(dropout=0.2)
        self._failing = failing
        self.calls = 0
        self.register_buffer("seen", torch.zeros(1, dtype=torch.int64), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Maps (n, 1, 8, 8) to (n, 10)."""
        logits: Tensor = self.inside(pixels)
        self.calls += 1
        self.seen.add_(1)
        if self.calls - 1 in self._failing:
            raise RuntimeError("GET was unable to find an engine to execute this computation")
        return logits


STEPS = Recipe(epochs=3, batch_size=256, averaging=0.9)


@pytest.mark.parametrize("call", [0, 1, 4])
def test_a_convolution_without_an_engine_is_tried_again(call: int) -> None:
    """A failure in the first epoch must leave no trace when the second attempt succeeds."""
    wanted = figures(train(NoEngines(set()), *digits(), STEPS, Backend.EAGER))
    network = NoEngines({call})
    assert figures(train(network, *digits(), STEPS, Backend.EAGER)) == wanted
    assert network.seen == network.calls - 1 - call


def test_a_network_may_keep_more_than_tensors() -> None:
    """State that is no tensor is the network's own business."""

    class Keeping(Faulty):
        def get_extra_state(self) -> dict[str, int]:
            return {"calls": 3}

        def set_extra_state(self, state: dict[str, int]) -> None:
            assert state == {"calls": 3}

    network = Keeping(False, lambda logits: logits)
    assert len(list(train(network, *digits(), Recipe(epochs=1)))) == 1


def test_a_second_failure_is_no_memory() -> None:
    """What finds no engine with all memory free, or later on, ends the training."""
    with pytest.raises(OutOfMemory, match="unable to find an engine"):
        list(train(NoEngines({1, 3}), *digits(), STEPS, Backend.EAGER))
    epochs = train(NoEngines({10}), *digits(), STEPS, Backend.EAGER)
    next(epochs)
    with pytest.raises(OutOfMemory, match="unable to find an engine"):
        list(epochs)


def test_other_errors_pass() -> None:
    """A mistake in a network must not pass for want of memory."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(63, CLASSES))
    with pytest.raises(RuntimeError, match="shape") as stop:
        list(train(network, *digits(), Recipe(epochs=1)))
    assert not isinstance(stop.value, TrainerError)


def test_no_images_are_refused() -> None:
    """Neither an empty training nor an empty evaluation part can be worked with."""
    training, validation, of_pixels = digits()
    nothing = training.subset(torch.arange(0))
    for parts in ((nothing, validation), (training, nothing)):
        with pytest.raises(DataError, match="at least one of each"):
            list(train(convolutional(), *parts, of_pixels, Recipe(epochs=1)))

from __future__ import annotations

import dataclasses
import gc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from search.spec.candidate import Candidate
from search.storage.weights import weights_of
from search.workers.data import DataSplit, search_split
from search.workers.stop import Stopped, StopSignal
from search.workers.training import Training, seeded_network
from space.architecture import Architecture
from trainer.backends.compiled import CompiledStep
from trainer.data import open_dataset
from trainer.errors import Diverged, OutOfMemory
from trainer.loop import train
from trainer.recipe import Recipe

ARCHITECTURE = Architecture.parse("conv3 8 relu bn\ngap\nlinear 10", input_shape=(1, 8, 8))
RECIPE = Recipe(epochs=3, batch_size=128, seed=5)
CANDIDATE = Candidate(ARCHITECTURE, RECIPE)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def data() -> DataSplit:
    """The digits as a search sees them."""
    return search_split(open_dataset("digits", Path("data")), CPU)


def test_it_trains_from_the_seeded_weights(data: DataSplit) -> None:
    """Its epochs and weights are those of the plain training loop from the same seed."""
    network = seeded_network(CANDIDATE, CPU)
    plain = list(train(network, data.training, data.evaluation, data.normalisation, RECIPE))
    training = Training(CANDIDATE, data, StopSignal())
    seen = [epoch.number for epoch in training]
    assert seen == [0, 1, 2]
    assert [(e.loss, e.accuracy) for e in training.epochs] == [(e.loss, e.accuracy) for e in plain]
    found = weights_of(training.network)
    assert all(torch.equal(found[name], kept) for name, kept in weights_of(network).items())
    assert (training.failure, training.reason) == (None, "")


def test_a_loop_that_is_left_ends_the_training(data: DataSplit) -> None:
    """The epochs until then are there, and the clock stands still."""
    training = Training(CANDIDATE, data, StopSignal())
    for epoch in training:
        if epoch.number == 1:
            break
    assert len(training.epochs) == 2
    assert training.seconds > 0
    assert training.seconds == training.seconds
    assert training.failure is None


def test_a_divergence_is_an_outcome(data: DataSplit) -> None:
    """A loss that is not finite ends the training with a reason in one line, not with an error."""
    recipe = dataclasses.replace(
        RECIPE, optimizer="sgd", learning_rate=100.0, weight_decay=10.0, epochs=50
    )
    training = Training(Candidate(ARCHITECTURE, recipe), data, StopSignal())
    training.run()
    assert isinstance(training.failure, Diverged)
    assert len(training.epochs) == training.failure.epoch
    assert "no longer finite" in training.reason
    assert training.seconds > 0


def test_no_memory_for_the_weights_is_an_outcome(data: DataSplit) -> None:
    """A network that cannot be built ends the training before its first epoch."""
    lines = "conv1 65536\nconv7 65536\ngap\nlinear 10"
    huge = Architecture.parse(lines, input_shape=(1, 8, 8))
    training = Training(Candidate(huge, RECIPE), data, StopSignal())
    training.run()
    assert isinstance(training.failure, OutOfMemory)
    assert "memory" in training.reason
    assert "\n" not in training.reason
    assert training.epochs == []
    with pytest.raises(ValueError, match="has not begun"):
        _ = training.network


def test_a_failed_training_holds_no_memory(
    data: DataSplit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the failed step had computed is freed at once, so that the next finds all memory."""
    kept: list[weakref.ref[torch.Tensor]] = []

    def step(self: object, pixels: torch.Tensor, labels: torch.Tensor, rates: object) -> None:
        maps = pixels + 1
        kept.append(weakref.ref(maps))
        try:
            raise torch.OutOfMemoryError("CUDA out of memory")
        except RuntimeError as error:
            raise RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED") from error

    monkeypatch.setattr(CompiledStep, "__call__", step)
    gc.disable()
    try:
        training = Training(CANDIDATE, data, StopSignal())
        training.run()
        assert [reference() for reference in kept] == [None]
    finally:
        gc.enable()
    assert isinstance(training.failure, OutOfMemory)
    assert "ALLOC_FAILED" in training.reason


def test_a_stop_is_not_an_outcome(data: DataSplit) -> None:
    """Being asked to stop breaks the training off with the epochs that it had until then."""
    training = Training(CANDIDATE, data, StopSignal())

    class StopsAfterTheFirst(StopSignal):
        @contextmanager
        def interruptible(self) -> Iterator[None]:
            if training.epochs:
                raise Stopped
            yield

    training._stop = StopsAfterTheFirst()
    with pytest.raises(Stopped):
        training.run()
    assert len(training.epochs) == 1
    assert training.failure is None


def test_initial_weights_follow_the_recipes_seed() -> None:
    """The same candidate begins with the same weights, whatever was drawn at random before."""
    first = weights_of(seeded_network(CANDIDATE, CPU))
    torch.rand(7)
    second = weights_of(seeded_network(CANDIDATE, CPU))
    other = Candidate(ARCHITECTURE, dataclasses.replace(RECIPE, seed=6))
    third = weights_of(seeded_network(other, CPU))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not all(torch.equal(first[name], third[name]) for name in first)


def test_a_network_is_built_without_touching_the_generator() -> None:
    """Building a network does not change what this process draws at random next."""
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    seeded_network(CANDIDATE, CPU)
    assert torch.equal(torch.rand(3), expected)

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.trainer.small_networks import (
    assert_same_state,
    cloned_state,
    convolutional,
    figures,
    some_digits,
)
from trainer.backends import choose
from trainer.backends.base import TrainingStep
from trainer.backends.choose import Backend, make_step, prepare_backend
from trainer.batches import Batches
from trainer.errors import NoKernels
from trainer.loop import Epoch, train
from trainer.metrics import accuracy
from trainer.native import library
from trainer.optim.optimizers import OPTIMIZERS
from trainer.optim.schedules import Rates
from trainer.recipe import Recipe
from trainer.weights import FlatWeights

SHAPE = (1, 8, 8)
RECIPE = Recipe(epochs=1, batch_size=32)


@pytest.fixture(autouse=True)
def _fresh_warnings() -> Iterator[None]:
    """Each test is told what a process is told once."""
    choose._warn_once.cache_clear()
    yield
    choose._warn_once.cache_clear()


@pytest.fixture
def no_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a compiler."""
    monkeypatch.setattr(library, "_load", lambda: NoKernels("no C++ compiler was found"))


@pytest.fixture
def set_threads() -> Iterator[Callable[[int], None]]:
    """Sets torch's threads until the test ends."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def ending(module: nn.Module) -> nn.Sequential:
    """A network whose last convolution is followed by a module."""
    return nn.Sequential(*convolutional()[:6], module, *convolutional()[8:])


def epochs_of(
    network: nn.Module, recipe: Recipe = RECIPE, backend: Backend | None = None, images: int = 65
) -> list[Epoch]:
    """All epochs of a training on some digits."""
    training, evaluation, normalisation = some_digits(images)
    few = evaluation.subset(torch.arange(200))
    return list(train(network, training, few, normalisation, recipe, backend))


def steps(recipe: Recipe) -> Iterator[tuple[nn.Module, TrainingStep, Tensor]]:
    """The same network for torch's backend and for the compiled one, its step and its vector."""
    for backend in (Backend.EAGER, Backend.COMPILED):
        network = convolutional(seed=3)
        weights = FlatWeights(network)
        step, taken = make_step(network, weights, recipe, SHAPE, steps_per_epoch=1, backend=backend)
        assert taken is backend
        yield network, step, weights.vector.detach()


def a_batch(recipe: Recipe) -> tuple[Tensor, Tensor]:
    """Normalised digits and their labels."""
    training, _, normalisation = some_digits(100)
    return next(iter(Batches(training, normalisation, recipe)))


def test_the_fast_path_is_taken_without_a_word() -> None:
    """Where there are kernels for a network they must be used, and each epoch say so."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (epoch,) = epochs_of(convolutional())
    assert epoch.backend is Backend.COMPILED
    assert "backend" not in epoch.to_dict()


@pytest.mark.usefixtures("no_kernels")
def test_without_a_compiler_torch_trains_and_says_so_once() -> None:
    """However many networks are trained there must be one warning, with the reason."""
    with pytest.warns(UserWarning, match=r"without compiled kernels: no C\+\+ compiler") as told:
        found = [epochs_of(convolutional(seed))[0].backend for seed in range(3)]
    assert found == [Backend.EAGER] * 3
    assert len(told) == 1


def test_each_reason_is_told_once() -> None:
    """Networks that the kernels do not know must be trained, each reason told the first time."""
    softplus, mish = nn.Softplus(), nn.Mish()
    networks = [ending(softplus), convolutional(), ending(mish), ending(softplus)]
    with pytest.warns(UserWarning, match="without compiled kernels") as told:
        found = [epochs_of(network)[0].backend for network in networks]
    assert found == [Backend.EAGER, Backend.COMPILED, Backend.EAGER, Backend.EAGER]
    first, second = (str(each.message) for each in told)
    assert "Softplus" in first
    assert "Mish" in second


@pytest.mark.usefixtures("no_kernels")
def test_torchs_path_asks_for_no_kernels() -> None:
    """Who wants torch's own backend must not be warned of what is not missed."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (epoch,) = epochs_of(convolutional(), backend=Backend.EAGER)
    assert epoch.backend is Backend.EAGER


def test_torch_leaves_the_cores_to_the_kernels(
    set_threads: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where kernels have threads torch must use one, and between epochs as many as it was told."""
    used = []
    chunk = Batches._chunk

    def noting(batches: Batches, indices: Tensor) -> tuple[Tensor, Tensor]:
        used.append(torch.get_num_threads())
        return chunk(batches, indices)

    monkeypatch.setattr(Batches, "_chunk", noting)
    set_threads(2)
    for backend in (Backend.COMPILED, Backend.EAGER):
        for _ in train(convolutional(), *some_digits(65), replace(RECIPE, epochs=2), backend):
            assert torch.get_num_threads() == 2
    assert used == [1, 1, 2, 2]


@pytest.mark.usefixtures("no_kernels")
def test_a_path_that_is_asked_for_is_had_or_refused() -> None:
    """Nobody who measures the compiled backend must get another one."""
    with pytest.raises(NoKernels, match=r"no C\+\+ compiler"):
        epochs_of(convolutional(), backend=Backend.COMPILED)


def test_an_unknown_network_has_no_compiled_path() -> None:
    """The refusal must name what is unknown, and leave the network as it was."""
    network = ending(nn.Softplus())
    before = cloned_state(network)
    with pytest.raises(NoKernels, match="Softplus"):
        epochs_of(network, backend=Backend.COMPILED)
    assert_same_state(cloned_state(network), before)
    assert all(parameter.is_contiguous() for parameter in network.parameters())


def test_the_compiled_path_is_for_the_cpu() -> None:
    """Weights elsewhere must not be read as if they lay here."""
    network = convolutional().to("meta")
    weights = FlatWeights(network)
    with pytest.raises(NoKernels, match="cpu"):
        make_step(network, weights, RECIPE, SHAPE, steps_per_epoch=1, backend=Backend.COMPILED)


def test_preparing_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """With kernels there must be nothing to say, without them the reason."""
    assert prepare_backend(torch.device("cpu")) == ""
    monkeypatch.setattr(library, "_load", lambda: NoKernels("no compiler at all"))
    assert prepare_backend(torch.device("cpu")) == "no compiler at all"


def test_a_process_without_a_compiler_trains(tmp_path: pathlib.Path) -> None:
    """On a machine that never had a compiler training must work, and warn once."""
    program = (
        "from tests.trainer.backends.test_choose import *\n"
        "print(*[epochs_of(convolutional(seed))[0].backend for seed in range(2)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=pathlib.Path(__file__).parents[3],
        env={**os.environ, "CXX": "/nonexistent", "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["eager", "eager"]
    assert done.stderr.count("training without compiled kernels") == 1


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(
    "changes",
    [{}, {"gradient_clip": 0.1, "weight_decay": 0.1}, {"label_smoothing": 0.2}, {"l1": 0.01}],
    ids=["plain", "clipped", "smoothed", "penalty"],
)
def test_one_step_is_the_same_on_both_paths(optimizer: Any, changes: dict[str, Any]) -> None:
    """Loss, correct predictions, weights and statistics must agree but for rounding."""
    recipe = Recipe(optimizer=optimizer, batch_size=50, **changes)
    start = FlatWeights(convolutional(seed=3)).vector.detach()
    pixels, labels = a_batch(recipe)
    found = []
    for network, step, vector in steps(recipe):
        network.train()
        loss, right = step(pixels, labels, Rates(0.01, 0.9))
        assert loss.shape == right.shape == ()
        assert not loss.requires_grad
        buffers = [buffer.double() for buffer in network.buffers()]
        network.eval()
        with torch.inference_mode():
            logits = step.infer(pixels)
        found.append((float(loss), int(right), vector - start, buffers, logits))
    (loss, right, moved, buffers, logits), (loss_2, right_2, moved_2, buffers_2, logits_2) = found
    assert loss_2 == pytest.approx(loss, rel=1e-5)
    assert right_2 == right
    assert float((moved_2 - moved).norm()) < 1e-3 * float(moved.norm())
    torch.testing.assert_close(buffers_2, buffers, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(logits_2, logits, atol=1e-3, rtol=1e-3)


def test_an_epoch_stays_close_to_torchs() -> None:
    """Over the steps of an epoch rounding must stay small against what is learned."""
    recipe = Recipe(epochs=1, batch_size=32, optimizer="sgd", learning_rate=0.05)
    (by_torch,), (by_kernels,) = (
        epochs_of(convolutional(), recipe, backend, images=512)
        for backend in (Backend.EAGER, Backend.COMPILED)
    )
    assert by_kernels.loss == pytest.approx(by_torch.loss, rel=1e-3)
    assert by_kernels.train_accuracy == pytest.approx(by_torch.train_accuracy, abs=0.01)
    assert by_kernels.accuracy == pytest.approx(by_torch.accuracy, abs=0.03)


@pytest.mark.parametrize("images", [2, 20, 33, 64, 65])
def test_any_number_of_images_is_trained(images: int) -> None:
    """Sets smaller than a batch and last batches of one more must fit."""
    assert epochs_of(convolutional(dropout=0.2), images=images)[0].backend is Backend.COMPILED


def test_the_network_is_the_one_that_was_judged() -> None:
    """After training torch itself must find the accuracy of the last epoch."""
    for averaging in (0.0, 0.9):
        network = convolutional(dropout=0.1)
        recipe = Recipe(epochs=3, batch_size=32, averaging=averaging)
        *_, last = epochs_of(network, recipe, images=300)
        _, evaluation, normalisation = some_digits(300)
        few = evaluation.subset(torch.arange(200))
        assert last.backend is Backend.COMPILED
        assert accuracy(network, few, normalisation) == pytest.approx(last.accuracy, abs=0.006)


def test_the_seed_decides_everything(set_threads: Callable[[int], None]) -> None:
    """Dropout and averaging included the same seed must give the same bits, on any threads."""
    recipe = Recipe(epochs=2, batch_size=60, averaging=0.9, label_smoothing=0.1, seed=5)
    found = []
    for threads in (1, 2, 2):
        set_threads(threads)
        network = convolutional(dropout=0.3)
        torch.manual_seed(threads)
        found.append((figures(iter(epochs_of(network, recipe, images=200))), cloned_state(network)))
    for other in found[1:]:
        assert other[0] == found[0][0]
        assert_same_state(other[1], found[0][1])


def test_the_seed_decides_the_dropout() -> None:
    """Two steps must not drop the same, nor the first steps of two seeds."""
    pixels, labels = a_batch(RECIPE)
    losses = []
    for seed in (0, 0, 1):
        recipe = Recipe(batch_size=32, seed=seed)
        network = convolutional(seed=3, dropout=0.5)
        step, _ = make_step(
            network,
            FlatWeights(network),
            recipe,
            SHAPE,
            steps_per_epoch=1,
            backend=Backend.COMPILED,
        )
        # At rate 0 the weights stay.
        losses.append([float(step(pixels, labels, Rates(0.0, 0.9))[0]) for _ in range(3)])
    assert losses[0] == losses[1]
    assert len({*losses[0], *losses[2]}) == 6


def test_trainings_may_take_turns() -> None:
    """Two trainings in one process must not disturb each other."""
    training, evaluation, normalisation = some_digits(100)
    alone = figures(iter(epochs_of(convolutional(dropout=0.3), Recipe(epochs=3), images=100)))
    few = evaluation.subset(torch.arange(200))
    together = [
        train(convolutional(dropout=0.3), training, few, normalisation, recipe)
        for recipe in (Recipe(epochs=3), Recipe(epochs=3))
    ]
    turns = list(zip(*together, strict=True))
    assert figures(first for first, _ in turns) == figures(second for _, second in turns) == alone

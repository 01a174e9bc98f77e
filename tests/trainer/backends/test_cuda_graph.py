from __future__ import annotations

import copy
import dataclasses
import gc
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.trainer import tape
from tests.trainer.small_networks import (
    CLASSES,
    Sharing,
    assert_same_state,
    cloned_state,
    convolutional,
    digits,
    figures,
)
from trainer import weights as weights_module
from trainer.augment import Affine, Perspective
from trainer.backends import choose, cuda_graph
from trainer.backends.base import TrainingStep
from trainer.backends.choose import Backend
from trainer.backends.cuda_graph import GraphStep
from trainer.backends.eager import EagerStep
from trainer.batches import Batches
from trainer.errors import NoKernels, OutOfMemory
from trainer.loop import Epoch, train
from trainer.optim.optimizers import OPTIMIZERS
from trainer.optim.schedules import Rates, rates_at
from trainer.randomness import Randomness
from trainer.recipe import Recipe
from trainer.runtime import working_memory
from trainer.weights import AveragedWeights, FlatWeights

FLAT = [name for name, entry in OPTIMIZERS.items() if entry.make_flat is not None]
BATCH = 32
SIZES = (BATCH, BATCH, 21, BATCH, BATCH, 21)
EPOCH = len(SIZES) // 2
UNRECORDED = cuda_graph._Recorder.record


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    """Recipes of all optimizers, with and without decay, momentum, clipping and smoothing."""
    values: dict[str, Any] = {
        "epochs": 2,
        "batch_size": BATCH,
        "optimizer": draw(st.sampled_from(FLAT)),
        "schedule": draw(st.sampled_from(["none", "one-cycle", "cosine"])),
        "learning_rate": draw(st.floats(1e-3, 0.1)),
        "momentum": draw(st.sampled_from([0.0, 0.5, 0.9])),
        "weight_decay": draw(st.sampled_from([0.0, 1e-4, 0.1])),
        "l1": draw(st.sampled_from([0.0, 0.0, 1e-3, 0.1])),
        "gradient_clip": draw(st.sampled_from([0.0, 0.01, 0.5, 1e6])),
        "label_smoothing": draw(st.sampled_from([0.0, 0.1])),
    }
    if values["optimizer"] == "sgd" and values["momentum"]:
        values["nesterov"] = draw(st.booleans())
    return Recipe(**values)


@lru_cache(maxsize=1)
def some_digits() -> tuple[Tensor, Tensor]:
    """Normalised images for two epochs, and their labels."""
    training, _, normalisation = digits()
    return next(iter(Batches(training, normalisation, Recipe(batch_size=sum(SIZES)))))


def batches(
    device: str = "cpu", dtype: torch.dtype = torch.float64
) -> Iterator[tuple[Tensor, Tensor]]:
    """Digits in batches of two sizes, two epochs of them."""
    pixels, labels = some_digits()
    start = 0
    for size in SIZES:
        part = slice(start, start + size)
        yield pixels[part].to(device, dtype), labels[part].to(device)
        start += size


def steps(
    step: TrainingStep, recipe: Recipe, given: Iterable[tuple[Tensor, Tensor]]
) -> list[Tensor]:
    """Takes a step per batch; returns the losses and the numbers of correct predictions."""
    taken = [
        step(pixels, labels, rates_at(recipe, index, EPOCH))
        for index, (pixels, labels) in enumerate(given)
    ]
    losses, rights = zip(*taken, strict=True)
    return [torch.stack(losses), torch.stack(rights)]


def graph_steps(network: nn.Module, recipe: Recipe, device: str = "cpu") -> list[Tensor]:
    """What the graph's steps give."""
    step = GraphStep(network, FlatWeights(network), recipe, EPOCH)
    return steps(step, recipe, batches(device))


def eager_steps(network: nn.Module, recipe: Recipe, device: str = "cpu") -> list[Tensor]:
    """What the plain steps give."""
    return steps(EagerStep(network, FlatWeights(network), recipe), recipe, batches(device))


def assert_close(first: nn.Module, second: nn.Module) -> None:
    """Every number must be the same but for rounding in double precision."""
    for (name, one), other in zip(
        first.state_dict().items(), second.state_dict().values(), strict=True
    ):
        torch.testing.assert_close(one, other, atol=1e-9, rtol=1e-7, msg=name)


@settings(max_examples=25)
@given(recipes())
def test_it_learns_what_the_plain_step_learns(recipe: Recipe) -> None:
    """All settings and both sizes of batches must give the plain step's figures and network."""
    network = convolutional().double().train()
    other = copy.deepcopy(network)
    ours, plain = graph_steps(network, recipe), eager_steps(other, recipe)
    torch.testing.assert_close(ours, plain, atol=1e-9, rtol=1e-7)
    assert_close(network, other)


@pytest.mark.parametrize("optimizer", FLAT)
def test_shared_unused_and_frozen_parameters_are_no_trouble(optimizer: Any) -> None:
    """A shared one must get the sum of its gradients, an unused or frozen one stay as it is."""
    recipe = Recipe(
        epochs=2, batch_size=BATCH, optimizer=optimizer, learning_rate=0.05, gradient_clip=0.1
    )
    network = Sharing().double().train()
    other = copy.deepcopy(network)
    graph_steps(network, recipe)
    eager_steps(other, recipe)
    assert_close(network, other)


def test_the_warm_up_leaves_no_trace() -> None:
    """Dropout must draw as without it, and the generator end where it would have."""
    recipe = Recipe(epochs=2, batch_size=BATCH)
    network = convolutional(dropout=0.3).double().train()
    other = copy.deepcopy(network)
    torch.manual_seed(5)
    ours, state = graph_steps(network, recipe), torch.get_rng_state()
    torch.manual_seed(5)
    torch.testing.assert_close(ours, eager_steps(other, recipe), atol=1e-9, rtol=1e-7)
    assert torch.equal(torch.get_rng_state(), state)
    assert_close(network, other)
    assert network.state_dict()["1.num_batches_tracked"] == len(SIZES)


def test_a_warm_up_that_fails_leaves_no_trace_either() -> None:
    """A network that breaks off halfway must keep the numbers that it had."""

    class Failing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inside = convolutional()
            self.calls = 0

        def forward(self, pixels: Tensor) -> Tensor:
            self.calls += 1
            logits: Tensor = self.inside(pixels)
            if self.calls == 3:
                raise RuntimeError("broken off")
            return logits

    network = Failing().double().train()
    state, drawn = cloned_state(network), torch.get_rng_state()
    with pytest.raises(RuntimeError, match="broken off"):
        graph_steps(network, Recipe(batch_size=BATCH))
    assert network.calls == 3
    assert all(torch.equal(network.state_dict()[name], kept) for name, kept in state.items())
    assert torch.equal(torch.get_rng_state(), drawn)


def test_a_forward_that_replaces_a_buffer_is_refused() -> None:
    """A graph would go on with the old buffer, so the mistake is named with the way out."""

    class Replacing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inside = convolutional()
            self.register_buffer("mean", torch.zeros(()))

        def forward(self, pixels: Tensor) -> Tensor:
            self.mean = 0.9 * self.mean + 0.1 * pixels.mean()
            logits: Tensor = self.inside(pixels)
            return logits

    with pytest.raises(NoKernels, match=r"replaces the buffer mean; .* or use eager"):
        graph_steps(Replacing().double().train(), Recipe(batch_size=BATCH))


def test_the_same_seed_gives_the_same_numbers() -> None:
    """Figures and weights must repeat to the last bit."""
    recipe = Recipe(epochs=2, batch_size=BATCH, gradient_clip=0.5)
    runs = []
    for _ in range(2):
        torch.manual_seed(5)
        network = convolutional(dropout=0.3).double().train()
        runs.append([*graph_steps(network, recipe), *cloned_state(network).values()])
    assert all(torch.equal(one, other) for one, other in zip(*runs, strict=True))


def test_single_precision_agrees_after_a_step() -> None:
    """In the precision that is trained in, one step must agree to that precision."""
    recipe = Recipe(batch_size=BATCH)
    networks = [convolutional().train() for _ in range(2)]
    pixels, labels = next(batches(dtype=torch.float32))
    rates = rates_at(recipe, 0, EPOCH)
    ours = GraphStep(networks[0], FlatWeights(networks[0]), recipe, EPOCH)(pixels, labels, rates)
    plain = EagerStep(networks[1], FlatWeights(networks[1]), recipe)(pixels, labels, rates)
    torch.testing.assert_close(ours, plain)
    for one, other in zip(*(network.state_dict().values() for network in networks), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_the_table_is_refilled(monkeypatch: pytest.MonkeyPatch) -> None:
    """More steps than the table has rows must go on as before, also when the last is the last."""
    recipe = Recipe(epochs=2, batch_size=BATCH, optimizer="sgd")
    network = convolutional().double().train()
    for rows in (2, 4, 6):
        monkeypatch.setattr(cuda_graph, "_TABLE_ROWS", rows)
        ours, other = copy.deepcopy(network), copy.deepcopy(network)
        graph_steps(ours, recipe)
        eager_steps(other, recipe)
        assert_close(ours, other)


def test_other_rates_are_refused() -> None:
    """The device knows the recipe's rates alone: others, and steps too many, are mistakes."""
    recipe = Recipe(epochs=1, batch_size=BATCH)
    network = convolutional().double().train()
    step = GraphStep(network, FlatWeights(network), recipe, 2)
    pixels, labels = next(batches())
    with pytest.raises(ValueError, match=r"step 0 was given Rates.*0\.5"):
        step(pixels, labels, Rates(0.5, 0.9))
    for index in range(2):
        step(pixels, labels, rates_at(recipe, index, 2))
    with pytest.raises(ValueError, match=r"step 2 .* the recipe has None"):
        step(pixels, labels, rates_at(recipe, 1, 2))


def test_inference_is_the_network() -> None:
    """Evaluation must get the logits of the network in its present mode."""
    network = convolutional().double().eval()
    step = GraphStep(network, FlatWeights(network), Recipe(), 1)
    pixels, _ = next(batches())
    assert torch.equal(step.infer(pixels), network(pixels))


@pytest.mark.parametrize("optimizer", FLAT)
def test_no_step_looks_at_its_numbers(optimizer: Any) -> None:
    """On a device without numbers it must run as well: then it waits for none anywhere."""
    recipe = Recipe(
        epochs=2,
        batch_size=BATCH,
        optimizer=optimizer,
        weight_decay=0.1,
        gradient_clip=1.0,
        label_smoothing=0.1,
    )
    graph_steps(convolutional(dropout=0.1).double().to("meta").train(), recipe, "meta")


def test_it_is_freed_at_once() -> None:
    """A graph must not wait for the collector, which might come while another is recorded."""
    network = convolutional().double().train()
    recipe = Recipe(epochs=2, batch_size=BATCH)
    gc.disable()
    try:
        step = GraphStep(network, FlatWeights(network), recipe, EPOCH)
        steps(step, recipe, batches())
        kept = [weakref.ref(each) for each in (step, step._step, *step._recorded.values())]
        del step
        assert [reference() for reference in kept] == [None] * 4
    finally:
        gc.enable()


@pytest.fixture
def taped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps on the CPU are recorded, with their numbers frozen and weights aligned as on CUDA."""
    monkeypatch.setattr(cuda_graph._Recorder, "record", lambda _, *given: tape.record(*given))
    monkeypatch.setattr(choose, "_DEVICE_OF", {Backend.COMPILED: "cpu", Backend.GRAPH: "cpu"})
    monkeypatch.setattr(weights_module, "_UNALIGNED_DEVICES", frozenset())


def test_a_tape_freezes_numbers_and_follows_tensors() -> None:
    """A replay must see new contents of its tensors and old numbers, draw anew, and not wait."""
    given, numbers, state = torch.ones(3), [2.0], torch.zeros(3)

    def function() -> Tensor:
        state.add_(given)
        return (given * numbers[0] + state).view(3) + torch.rand(3) / 100

    replay = tape.record(function, [state])
    assert not state.any()
    first = replay().clone()
    torch.testing.assert_close(first, torch.full((3,), 3.0), atol=0.01, rtol=0)
    given.fill_(5)
    numbers[0] = 100.0
    second = replay()
    torch.testing.assert_close(second, torch.full((3,), 16.0), atol=0.01, rtol=0)
    assert (second - 16).tolist() != (first - 3).tolist()
    with pytest.raises(RuntimeError, match="reads a number"):
        tape.record(lambda: float(given.sum()), [state])


@pytest.mark.usefixtures("taped")
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(recipes(), st.sampled_from([0.0, 0.3]))
def test_a_recording_freezes_nothing_that_changes(recipe: Recipe, dropout: float) -> None:
    """Replays of both sizes must learn what the plain step learns from ever new batches."""
    network = convolutional(dropout=dropout).double().train()
    other = copy.deepcopy(network)
    torch.manual_seed(5)
    ours = graph_steps(network, recipe)
    torch.manual_seed(5)
    plain = eager_steps(other, recipe)
    torch.testing.assert_close(ours, plain, atol=1e-9, rtol=1e-7)
    assert_close(network, other)


@pytest.mark.usefixtures("taped")
@pytest.mark.parametrize("averaging", [0.0, 0.9])
def test_a_training_is_recorded_from_start_to_end(
    averaging: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two networks in turn, averaged and evaluated, must get the figures of unrecorded steps."""
    recipe = Recipe(
        epochs=3,
        batch_size=64,
        learning_rate=0.02,
        averaging=averaging,
        augment=(Affine(degrees=5),),
    )

    def both(backend: Backend) -> tuple[list[tuple[Epoch, Epoch]], list[dict[str, Tensor]]]:
        networks = [convolutional(dropout=0.1), convolutional(seed=1)]
        runs = [train(network, *digits(), recipe, backend) for network in networks]
        return list(zip(*runs, strict=True)), [network.state_dict() for network in networks]

    recorded, states = both(Backend.GRAPH)
    monkeypatch.setattr(cuda_graph._Recorder, "record", UNRECORDED)
    unrecorded, wanted = both(Backend.GRAPH)
    for mine, other in zip(zip(*recorded, strict=True), zip(*unrecorded, strict=True), strict=True):
        assert figures(iter(mine)) == figures(iter(other))
        assert {epoch.backend for epoch in mine} == {Backend.GRAPH}
    for state, other_state in zip(states, wanted, strict=True):
        assert_same_state(state, other_state)
    eager, _ = both(Backend.EAGER)
    for pair, other_pair in zip(recorded, eager, strict=True):
        for one, other in zip(pair, other_pair, strict=True):
            assert one.loss == pytest.approx(other.loss, rel=0.05)
            assert one.accuracy == pytest.approx(other.accuracy, abs=0.05)


@pytest.mark.usefixtures("taped")
def test_a_short_last_batch_is_recorded_when_it_comes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The recipe's size is recorded at once, another at its second coming, each once."""
    sizes: list[int] = []

    def record(_: object, function: Any, state: Any) -> Any:
        sizes.append(len(function.args[1]))
        return tape.record(function, state)

    monkeypatch.setattr(cuda_graph._Recorder, "record", record)
    seen = []
    network, recipe = convolutional().double().train(), Recipe(epochs=2, batch_size=BATCH)
    step = GraphStep(network, FlatWeights(network), recipe, EPOCH)
    for index, (pixels, labels) in enumerate(batches()):
        step(pixels, labels, rates_at(recipe, index, EPOCH))
        seen.append(list(sizes))
    assert seen == [[32], [32], [32], [32], [32], [32, 21]]


@contextmanager
def no_waiting() -> Iterator[None]:
    """Whatever waits for the device raises."""
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.gpu
@pytest.mark.usefixtures("cuda")
@pytest.mark.parametrize("optimizer", FLAT)
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_a_graph_learns_what_the_plain_step_learns(optimizer: Any, dropout: float) -> None:
    """Replays must give the plain step's figures and network, dropout's masks included."""
    recipe = Recipe(
        epochs=2,
        batch_size=BATCH,
        optimizer=optimizer,
        weight_decay=0.01,
        gradient_clip=0.5,
        label_smoothing=0.1,
    )
    network = convolutional(dropout=dropout).double().cuda().train()
    other = copy.deepcopy(network)
    with Randomness(7, torch.device("cuda", 0)):
        ours = graph_steps(network, recipe, "cuda")
    with Randomness(7, torch.device("cuda", 0)):
        plain = eager_steps(other, recipe, "cuda")
    torch.testing.assert_close(ours, plain, atol=1e-9, rtol=1e-7)
    assert_close(network, other)


@pytest.mark.gpu
@pytest.mark.usefixtures("cuda")
def test_a_graph_agrees_in_single_precision_after_a_step() -> None:
    """In the precision that is trained in, one replay must agree to that precision."""
    recipe = Recipe(batch_size=BATCH)
    networks = [convolutional().cuda().train() for _ in range(2)]
    pixels, labels = next(batches("cuda", torch.float32))
    rates = rates_at(recipe, 0, EPOCH)
    with Randomness(7, torch.device("cuda", 0)):
        step = GraphStep(networks[0], FlatWeights(networks[0]), recipe, EPOCH)
        ours = step(pixels, labels, rates)
        plain = EagerStep(networks[1], FlatWeights(networks[1]), recipe)(pixels, labels, rates)
    torch.testing.assert_close(ours, plain)
    for one, other in zip(*(network.state_dict().values() for network in networks), strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


@pytest.mark.gpu
@pytest.mark.usefixtures("cuda")
def test_replays_draw_afresh_from_a_sequence_of_their_own() -> None:
    """Dropout must differ from replay to replay, and not mind what others draw in between."""
    recipe = Recipe(epochs=2, batch_size=BATCH, schedule="none", learning_rate=1e-8)
    pixels, labels = next(batches("cuda"))
    runs = []
    for disturbing in (False, True):
        network = convolutional(dropout=0.5).double().cuda().train()
        step = GraphStep(network, FlatWeights(network), recipe, EPOCH)
        randomness, losses = Randomness(3, torch.device("cuda", 0)), []
        for _ in range(4):
            with randomness:
                losses.append(step(pixels, labels, Rates(1e-8, 0.9))[0])
            if disturbing:
                torch.rand(100, device="cuda")
        runs.append(torch.stack(losses).tolist())
    assert len(set(runs[0])) == 4
    assert runs[1] == pytest.approx(runs[0], rel=1e-9)


@pytest.mark.gpu
@pytest.mark.usefixtures("cuda")
def test_figures_outlive_the_next_replay() -> None:
    """What a step returned must be the same after later steps."""
    recipe = Recipe(epochs=2, batch_size=BATCH)
    network = convolutional().double().cuda().train()
    step = GraphStep(network, FlatWeights(network), recipe, EPOCH)
    taken, seen = [], []
    for index, (pixels, labels) in enumerate(batches("cuda")):
        taken.append(step(pixels, labels, rates_at(recipe, index, EPOCH)))
        seen.append([float(figure) for figure in taken[-1]])
    assert [[float(figure) for figure in figures] for figures in taken] == seen


@pytest.mark.gpu
@pytest.mark.usefixtures("cuda")
@pytest.mark.parametrize("optimizer", FLAT)
def test_an_epoch_waits_for_nothing(optimizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once all is recorded, batches, replays, averages and a new table must not synchronise."""
    monkeypatch.setattr(cuda_graph, "_TABLE_ROWS", 5)
    training, _, normalisation = digits()
    augment = (Affine(degrees=10, translate=0.1), Perspective(distortion=0.2))
    recipe = Recipe(
        epochs=3,
        optimizer=optimizer,
        learning_rate=0.03,
        augment=augment,
        weight_decay=0.01,
        gradient_clip=1.0,
        label_smoothing=0.1,
        averaging=0.9,
    )
    network = convolutional(dropout=0.1).cuda().train()
    weights = FlatWeights(network)
    average = AveragedWeights(weights, network, recipe.averaging)
    made = Batches(training.to("cuda"), normalisation, recipe)
    step = GraphStep(network, weights, recipe, len(made))

    def epoch(number: int) -> list[Tensor]:
        losses = []
        for index, (pixels, labels) in enumerate(made, number * len(made)):
            losses.append(step(pixels, labels, rates_at(recipe, index, len(made)))[0])
            average.update()
        return losses

    first, _ = epoch(0), epoch(1)
    with no_waiting():
        third = epoch(2)
    assert torch.stack(third).mean() < torch.stack(first).mean()
    assert bool(weights.vector.isfinite().all())


@pytest.mark.gpu
@pytest.mark.usefixtures("cuda")
def test_one_graph_after_another() -> None:
    """A recording must not mind a graph that the collector has yet to free."""
    recipe = Recipe(epochs=2, batch_size=BATCH)
    runs = []
    for _ in range(3):
        network = convolutional().double().cuda().train()
        step = GraphStep(network, FlatWeights(network), recipe, EPOCH)
        with Randomness(7, torch.device("cuda", 0)):
            runs.append(steps(step, recipe, batches("cuda")))
        circle: list[object] = [step]
        circle.append(circle)
        del step, circle
    for run in runs[1:]:
        torch.testing.assert_close(run, runs[0], atol=1e-12, rtol=1e-10)


@pytest.mark.gpu
@pytest.mark.usefixtures("cuda")
def test_no_memory_is_said_and_forgotten() -> None:
    """A step too large must be OutOfMemory, and a smaller one work afterwards."""
    device = torch.device("cuda", 0)
    recipe = Recipe(epochs=2, batch_size=BATCH)
    large = nn.Sequential(
        nn.Upsample(scale_factor=256), nn.Conv2d(1, 64, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    ).append(nn.Linear(64, CLASSES))
    large.double().cuda().train()
    # 2 GiB: less than the maps of the large network need, whatever the device has.
    total = torch.cuda.get_device_properties(device).total_memory
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(min(1.0, 2 * 2**30 / total), device)
    try:
        with pytest.raises(OutOfMemory, match="batches of 32"), working_memory(device, BATCH):
            graph_steps(large, recipe, "cuda")
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, device)
    network = convolutional().double().cuda().train()
    other = copy.deepcopy(network)
    torch.testing.assert_close(
        graph_steps(network, recipe, "cuda"), eager_steps(other, recipe, "cuda")
    )


def test_an_optimizer_without_a_form_for_graphs_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Such an optimizer must be named, and no graph be chosen for it however long it trains."""
    recipe = Recipe(optimizer="sgd", epochs=10_000)
    network = convolutional()
    assert choose._repays_a_graph(recipe, 100)
    plain = dataclasses.replace(OPTIMIZERS["sgd"], make_flat=None)
    for module in (cuda_graph, choose):
        monkeypatch.setattr(module, "OPTIMIZERS", {**OPTIMIZERS, "sgd": plain})
    assert not choose._repays_a_graph(recipe, 100)
    with pytest.raises(NoKernels, match="cannot record the optimizer sgd; use eager"):
        GraphStep(network, FlatWeights(network), recipe, 100)

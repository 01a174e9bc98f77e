"""Trainings from start to end on the hollow device."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tests.hollow import journal
from tests.hollow.journal import Kind, Record, Thing
from tests.hollow.trainings import BATCH, NORMALISATION, Asked, ask, images, network
from trainer.augment import Affine, Colour, Crop, Flip, Perspective
from trainer.backends.choose import Backend
from trainer.loop import Epoch, train
from trainer.metrics import predict
from trainer.recipe import Recipe
from trainer.runtime import precision

pytestmark = pytest.mark.hollow

ROOT = Path(__file__).resolve().parents[2]
NETWORK = """
conv5 8 bn relu drop0.1
conv3 8 pad1 bn skip relu
maxpool2
separable3 8 pad1 bn silu
again
gap
linear 10
"""
OTHER = "conv3 6 bias relu\navgpool2\ndepthwise3 bn hardswish\nconv1 10\ngap"

FULL = Recipe(
    epochs=3,
    weight_decay=0.01,
    gradient_clip=1.0,
    label_smoothing=0.1,
    averaging=0.98,
    augment=(
        Affine(degrees=7),
        Perspective(distortion=0.2),
        Colour(brightness=0.2, contrast=0.2),
        Crop(padding=2),
        Flip(),
    ),
)
"""A recipe that uses all that there is."""


@pytest.mark.parametrize("text", [NETWORK, OTHER])
def test_a_recipe_with_everything_is_recorded(text: str) -> None:
    """All keys of a recipe at once break no capture and launch nothing beside one."""
    asked = ask(text, FULL)
    assert asked.violations == asked.beside == []
    assert len(asked.graphs) == 2


@pytest.mark.parametrize("batches", [100, 20])
def test_long_trainings_take_the_graph(batches: int) -> None:
    """A training of 200 steps or more takes the graph by itself; a shorter one does not."""
    recipe = Recipe(epochs=2, averaging=0.9)
    epochs = list(
        train(network(OTHER), images(batches * BATCH), images(600), NORMALISATION, recipe)
    )
    expected = Backend.GRAPH if batches == 100 else Backend.EAGER
    assert [each.backend for each in epochs] == [expected] * 2
    launched = sum(each.kind is Kind.GRAPH for each in journal.records())
    assert launched == (2 * batches if batches == 100 else 0)


def test_trainings_take_turns() -> None:
    """Two architectures trained in turn, an epoch each, record and replay their own graphs."""
    runs = [
        train(
            network(text), images(4 * BATCH + 37), images(600), NORMALISATION, FULL, Backend.GRAPH
        )
        for text in (NETWORK, OTHER)
    ]
    journal.reset()
    launched: list[set[int]] = [set(), set()]
    for turn in zip_longest(*(_with_journals(run) for run in runs)):
        for graphs, records in zip(launched, turn, strict=True):
            graphs.update(each.amount for each in records if each.kind is Kind.GRAPH)
            asked = Asked([records])
            assert asked.violations == asked.beside == []
    assert all(launched)
    assert launched[0].isdisjoint(launched[1])


def _with_journals(epochs: Iterable[Epoch]) -> Iterator[list[Record]]:
    for _ in epochs:
        records = journal.records()
        journal.reset()
        yield records


@pytest.mark.parametrize("how", ["to its end", "closed", "dropped"])
def test_graphs_end_with_their_training(how: str) -> None:
    """No graph outlives its training, whether that ends, is closed or is forgotten."""
    before = _graphs()
    run = train(network(OTHER), images(300), images(600), NORMALISATION, FULL, Backend.GRAPH)
    next(run)
    assert _graphs() > before
    if how == "to its end":
        list(run)
    elif how == "closed":
        run.close()
    del run
    assert _graphs() == before


def streams_waits(records: Iterable[Record]) -> list[str]:
    """Return the waits of streams for each other, and where captures begin and end between them."""
    told = {Kind.STREAM_WAIT, Kind.CAPTURE_BEGIN, Kind.CAPTURE_END}
    return [each.name or str(each.kind) for each in records if each.kind in told]


def test_a_recording_waits_and_is_waited_for() -> None:
    """A recording begins after the work before it, and the work behind it begins after it."""
    journal.reset()
    run = train(network(OTHER), images(BATCH), images(600), NORMALISATION, FULL, Backend.GRAPH)
    next(run)
    before, *_, after = streams_waits(journal.records())
    own, main = before.split(" for ")
    assert own != main == "0"
    assert after == f"{main} for {own}"
    run.close()


def test_a_recording_that_fails_is_waited_for_too() -> None:
    """What a failed warm-up has begun ends before its memory is used again."""
    trained = network(OTHER)
    calls: list[None] = []

    def fail(*_: object) -> None:
        calls.append(None)
        if len(calls) == 2:
            raise ZeroDivisionError

    trained.register_forward_pre_hook(fail)
    journal.reset()
    run = train(trained, images(BATCH), images(600), NORMALISATION, FULL, Backend.GRAPH)
    with pytest.raises(ZeroDivisionError):
        next(run)
    waits = [name for name in streams_waits(journal.records()) if " for " in name]
    assert len(waits) == 2
    assert waits[1].split(" for ") == waits[0].split(" for ")[::-1]


WAITING = """
import torch
from tests.hollow.test_training import FULL, OTHER
from tests.hollow.trainings import NORMALISATION, images, network
from trainer.backends.choose import Backend
from trainer.errors import NoKernels
from trainer.loop import train

trained = network(OTHER)
trained.register_forward_pre_hook(lambda module, inputs: print(inputs[0].sum().item()))
try:
    next(train(trained, images(300), images(600), NORMALISATION, FULL, Backend.GRAPH))
except NoKernels as error:
    print(error)
"""


def test_a_forward_that_waits_is_explained() -> None:
    """What CUDA cannot record is one line that says why and what to do."""
    # A broken capture stays with its process.
    done = subprocess.run(
        [sys.executable, "-c", WAITING], capture_output=True, text=True, check=True, cwd=ROOT
    )
    said = done.stdout.splitlines()[-1]
    assert said.startswith("a CUDA graph cannot record this network")
    assert "use eager" in said


@pytest.mark.parametrize("backend", [Backend.GRAPH, Backend.EAGER])
def test_trainings_and_predictions_are_exact(backend: Backend) -> None:
    """Steps and evaluations compute repeatably in full float32, and torch's settings come back."""
    trained, seen = network(OTHER), set()

    def look(*_: object) -> None:
        cudnn: Any = torch.backends.cudnn
        matmul = torch.backends.cuda.matmul.fp32_precision
        seen.add((trained.training, cudnn.deterministic, cudnn.conv.fp32_precision, matmul))

    trained.register_forward_pre_hook(look)
    run = train(trained, images(300), images(600), NORMALISATION, FULL, backend)
    assert [epoch.precision for epoch in run] == ["ieee"] * FULL.epochs
    assert seen == {(mode, True, "ieee", "ieee") for mode in (True, False)}
    seen.clear()
    predict(trained, images(600), NORMALISATION)
    assert seen == {(False, True, "ieee", "ieee")}
    assert precision(torch.device("cuda", 0)) == "tf32"
    assert not torch.backends.cudnn.deterministic


def _graphs() -> int:
    return journal.living(Thing.EXECUTABLE) + journal.living(Thing.GRAPH)


class No64BitFloats(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Fails where an operation gives or takes a float64 tensor on a device, and counts them all."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations: list[str] = []

    def __torch_dispatch__(
        self,
        operation: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run an operation and look at its tensors."""
        result = operation(*args, **(kwargs or {}))
        self.operations.append(str(operation))
        for leaf in tree_leaves((args, kwargs, result)):
            if isinstance(leaf, torch.Tensor) and leaf.is_cuda:
                assert leaf.dtype is not torch.float64, f"{operation} with float64 on a device"
        return result


@pytest.mark.parametrize("backend", [Backend.GRAPH, Backend.EAGER])
def test_devices_see_no_64_bit_floats(backend: Backend) -> None:
    """No number on a device is a float64, which MPS does not have."""
    with No64BitFloats() as seen:
        run = train(network(NETWORK), images(300), images(600), NORMALISATION, FULL, backend)
        for _ in run:
            pass
    assert "aten.convolution.default" in seen.operations
    assert "aten.convolution_backward.default" in seen.operations
    with pytest.raises(AssertionError, match="float64"), No64BitFloats():
        torch.zeros(1, device="cuda").double()

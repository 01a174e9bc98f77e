"""Trainings from start to end on the hollow device."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
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
from trainer.recipe import Recipe

pytestmark = pytest.mark.hollow

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

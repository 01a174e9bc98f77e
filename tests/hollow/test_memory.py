"""Memory of the devices: flat over many trials, and what happens when there is no more."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import pytest
import torch
from torch import nn

from tests.hollow import journal
from tests.hollow.journal import Kind, Place, Record, Thing
from tests.hollow.trainings import NORMALISATION, images, network
from trainer.augment import Affine
from trainer.backends.choose import Backend
from trainer.errors import OutOfMemory
from trainer.loop import train
from trainer.recipe import Recipe

pytestmark = pytest.mark.hollow

TRIALS = 100
MIB = 1 << 20


@dataclass(frozen=True)
class Held:
    """What a process holds of a device between two trials.

    Attributes:
        tensors: bytes that torch has given out.
        device: bytes that the driver has given out, after torch has given back its reserve.
        streams: that live; so graphs and handles.
    """

    tensors: int
    device: int
    streams: int
    graphs: int
    handles: int


def held() -> Held:
    """Return what this process holds, but for the workspaces of cuBLAS, which torch keeps."""
    torch._C._cuda_clearCublasWorkspaces()
    torch.cuda.empty_cache()
    return Held(
        torch.cuda.memory_allocated(),
        journal.used_memory(),
        journal.living(Thing.STREAM),
        journal.living(Thing.GRAPH) + journal.living(Thing.EXECUTABLE),
        journal.living(Thing.HANDLE),
    )


def drawn(rng: random.Random) -> str:
    """Draw an architecture."""
    first, second = rng.randint(4, 24), rng.randint(4, 24)
    lines = [f"conv3 {first} bn relu drop0.1", f"conv3 {second} bias silu", "maxpool2"]
    lines += [f"separable3 {first} pad1 bn relu"] * rng.randint(0, 2)
    return "\n".join([*lines, *rng.choice([("gap", "linear 10"), ("conv1 10", "gap")])])


def test_memory_is_flat_over_trials() -> None:
    """After 100 differing trials, some pruned, a process holds what it held after the tenth."""
    rng = random.Random(0)
    kept: list[Held] = []
    workspaces: list[int] = []
    for trial in range(TRIALS):
        recipe = Recipe(epochs=4, averaging=0.98, augment=(Affine(degrees=7),), seed=trial)
        run = train(
            network(drawn(rng)), images(300), images(600), NORMALISATION, recipe, Backend.GRAPH
        )
        for epoch in run:
            if epoch.number == rng.randint(1, 3):
                break
        run.close()
        journal.reset()
        if trial + 1 in (10, TRIALS):
            workspaces.append(torch.cuda.memory_allocated())
            kept.append(held())
    assert kept[0] == kept[1]
    assert workspaces[0] == workspaces[1]


class Phase(StrEnum):
    """Where in a training the memory runs out."""

    SET_UP = "set-up"
    WARM_UP = "warm-up"
    CAPTURE = "capture"
    STEPS = "steps"
    EVALUATION = "evaluation"


@dataclass(frozen=True)
class Attempt:
    """A training with little memory.

    Attributes:
        ran_out: where the device last had no room; None where it always had.
        failed: whether the training ended with an error.
    """

    ran_out: Phase | None
    failed: bool


BATCH_WITHOUT_ROOM = 8
"""Images in a step that needs less memory than the smallest batch of an evaluation."""


def attempt(limited: Phase | None = None, room: int = 0) -> Attempt:
    """Train with what memory there is.

    Args:
        limited: where the device is left with no more than it uses; None for nowhere.
        room: bytes that it has beyond that.
    """
    trained = network("conv3 32 bn relu\nconv3 32 bn relu drop0.1\ngap\nlinear 10")

    def reached(module: nn.Module, _: object) -> None:
        capturing = torch.cuda.is_current_stream_capturing()
        phase = Phase.CAPTURE if capturing else Phase.WARM_UP
        phase = phase if module.training else Phase.EVALUATION
        journal.mark(phase)
        if phase is limited:
            if not capturing:
                torch.cuda.empty_cache()
            journal.limit_memory(journal.used_memory() + room)

    trained.register_forward_pre_hook(reached)
    recipe = Recipe(epochs=2, batch_size=BATCH_WITHOUT_ROOM)
    journal.reset()
    run = train(
        trained,
        images(3 * BATCH_WITHOUT_ROOM + 5),
        images(600),
        NORMALISATION,
        recipe,
        Backend.GRAPH,
    )
    failed = False
    try:
        for _ in run:
            pass
    except OutOfMemory:
        failed = True
    return Attempt(_where(journal.records()), failed)


def _where(records: Sequence[Record]) -> Phase | None:
    phase, found = Phase.SET_UP, None
    for record in records:
        if record.kind is Kind.MARK:
            phase = Phase(record.name)
        elif record.kind is Kind.GRAPH:
            phase = Phase.STEPS
        elif record.kind is Kind.OUT_OF_MEMORY:
            found = phase
            assert (phase is Phase.CAPTURE) is (record.place is Place.BESIDE)
    return found


@pytest.mark.filterwarnings("ignore:The CUDA Graph is empty")
@pytest.mark.parametrize("room", [0, 2 * MIB])
@pytest.mark.parametrize("phase", [Phase.WARM_UP, Phase.CAPTURE, Phase.EVALUATION])
def test_memory_may_run_out_at_any_point(phase: Phase, room: int) -> None:
    """Memory that runs out in warm-up, capture or evaluation is one error and leaves nothing."""
    everything = journal.memory_limit()
    assert attempt() == Attempt(None, False)
    before = held()
    assert attempt(phase, room) == Attempt(phase, True)
    assert held() == before
    journal.limit_memory(everything)
    assert attempt() == Attempt(None, False)
    assert held() == before


def test_evaluations_take_what_room_there_is() -> None:
    """An evaluation with less room than it likes is done all the same, in smaller batches."""
    assert attempt(Phase.EVALUATION, 64 * MIB) == Attempt(Phase.EVALUATION, False)


@pytest.mark.filterwarnings("ignore:The CUDA Graph is empty")
def test_any_limit_is_an_error_or_enough() -> None:
    """From no memory to enough a training fails by running out or ends, and leaves nothing."""
    assert attempt() == Attempt(None, False)
    before = held()
    outcomes = []
    for mib in range(0, 270, 6):
        journal.limit_memory(before.device + mib * MIB)
        outcomes.append(attempt())
        assert (mib, held()) == (mib, before)
    assert all(outcome.ran_out for outcome in outcomes if outcome.failed)
    assert outcomes[0].failed
    assert outcomes[-1] == Attempt(None, False)

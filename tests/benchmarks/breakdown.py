"""Where the time of one training step goes: ``python -m tests.benchmarks.breakdown``.

The whole step is timed in :func:`trainer.loop.train` itself; its pieces with the parts that the
trainer is made of, put together here. What the pieces leave of the whole is Python, the tally and
the rates of the schedule, and chance: both are timed by turns, but not in the same steps.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Protocol

import torch
from rich.table import Table
from torch import Tensor, nn
from torch.nn import functional as F

from space.network import build
from tests.benchmarks.mnist import require_mnist
from tests.benchmarks.nets import NETS
from tests.benchmarks.options import add_json, add_nets, positive, run_command
from tests.benchmarks.ours import NORMALISATION, images, recipe
from tests.benchmarks.report import RESULTS, cores, provenance, show, write_json
from tests.benchmarks.task import BATCH_SIZE
from trainer.backends.base import Update
from trainer.backends.choose import Backend
from trainer.batches import Batches, batch_bounds
from trainer.data.images import Images
from trainer.loop import train
from trainer.native.network import CompiledNetwork
from trainer.optim.schedules import rates_at
from trainer.weights import FlatWeights

__all__ = ["Pieces", "Step", "break_down", "pieces_of_steps", "profile", "whole_steps"]


@dataclass(frozen=True)
class Pieces:
    """Milliseconds of the pieces of one step.

    Attributes:
        augmentation: gathering, augmenting and normalising a batch.
        forward: of the network, with the loss.
        backward: the gradients of all parameters.
        optimizer: gathering the gradients and updating the weights.
    """

    augmentation: float
    forward: float
    backward: float
    optimizer: float

    @property
    def sum(self) -> float:
        """Of all pieces."""
        return self.augmentation + self.forward + self.backward + self.optimizer


@dataclass(frozen=True)
class Step:
    """One step of one network.

    Attributes:
        net: the network's name.
        path: what computed it.
        threads: of torch.
        whole: milliseconds of a step in the training loop.
        pieces: the same step, piece by piece.
    """

    net: str
    path: str
    threads: int
    whole: float
    pieces: Pieces

    @property
    def other(self) -> float:
        """Milliseconds that the pieces leave of the whole."""
        return self.whole - self.pieces.sum


def break_down(net: str, path: Backend, threads: int, training: Images, rounds: int) -> Step:
    """Times one network's steps, whole and in pieces by turns, and returns the medians.

    Args:
        net: the network's name.
        path: eager or compiled.
        threads: of torch.
        training: the images of one pass.
        rounds: passes that count, after one that does not.
    """
    torch.set_num_threads(threads)
    turns = zip(
        whole_steps(net, path, training, rounds + 1),
        pieces_of_steps(net, path, training),
        strict=False,
    )
    whole, pieces = zip(*list(turns)[1:], strict=True)
    parts = Pieces(*map(median, zip(*pieces, strict=True)))
    return Step(net, path, threads, median(whole), parts)


def whole_steps(net: str, path: Backend, training: Images, passes: int) -> Iterator[float]:
    """Yields the mean milliseconds of a step in the training loop, for each of some passes.

    The evaluation, of two images, is the only part that is not training.
    """
    few = training.subset(torch.arange(2))
    steps = len(batch_bounds(len(training), BATCH_SIZE))
    how = recipe(passes, seed=0)
    for epoch in train(_network(net), training, few, NORMALISATION, how, path):
        yield 1000 * epoch.seconds / steps


def pieces_of_steps(net: str, path: Backend, training: Images) -> Iterator[list[float]]:
    """Yields the mean milliseconds of each of a step's pieces, for pass after pass."""
    network = _network(net)
    weights = FlatWeights(network)
    passes = _CompiledPasses if path is Backend.COMPILED else _EagerPasses
    batches = Batches(training, NORMALISATION, recipe(1, seed=0))
    pieces = passes(network, weights, training.shape)
    update = Update(weights, recipe(1, seed=0))
    while True:
        yield _pass(pieces, update, batches)


def profile(net: str, training: Images, rows: int) -> str:
    """Returns torch's table of the operators that take longest in one epoch, after another."""
    few = training.subset(torch.arange(2))
    epochs = train(_network(net), training, few, NORMALISATION, recipe(2, seed=0))
    next(epochs)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiler:
        next(epochs)
    epochs.close()
    return str(profiler.key_averages().table(sort_by="self_cpu_time_total", row_limit=rows))


def _network(net: str) -> nn.Module:
    torch.manual_seed(0)
    return build(NETS[net].architecture()).train()


class _Passes(Protocol):
    """The way forward and the way back of one path."""

    def forward(self, pixels: Tensor, labels: Tensor) -> Tensor: ...

    def backward(self, loss: Tensor) -> None: ...


class _EagerPasses:
    def __init__(self, network: nn.Module, weights: FlatWeights, _shape: object) -> None:
        self._network = network
        self._weights = weights

    def forward(self, pixels: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(self._network(pixels), labels)

    def backward(self, loss: Tensor) -> None:
        self._weights.set_gradient(torch.autograd.grad(loss, self._weights.parameters))


class _CompiledPasses:
    def __init__(
        self, network: nn.Module, weights: FlatWeights, shape: tuple[int, int, int]
    ) -> None:
        threads, gradients = torch.get_num_threads(), weights.make_gradient()
        self._network = CompiledNetwork(network, shape, gradients, BATCH_SIZE + 1, threads)
        self._weights = weights

    def forward(self, pixels: Tensor, labels: Tensor) -> Tensor:
        self._logits = self._network.forward(pixels, seed=0).requires_grad_()
        return F.cross_entropy(self._logits, labels)

    def backward(self, loss: Tensor) -> None:
        (gradient,) = torch.autograd.grad(loss, self._logits)
        assert self._weights.vector.grad is not None
        self._weights.vector.grad.zero_()
        self._network.backward(gradient)


def _pass(passes: _Passes, update: Update, batches: Batches) -> list[float]:
    """Returns the mean milliseconds of each piece over the batches of one pass."""
    seconds = [0.0] * len(fields(Pieces))
    rates = rates_at(recipe(1, seed=0), 0, len(batches))
    stamps = [time.perf_counter()]
    for pixels, labels in batches:
        stamps.append(time.perf_counter())
        loss = passes.forward(pixels, labels)
        stamps.append(time.perf_counter())
        passes.backward(loss)
        stamps.append(time.perf_counter())
        update(rates)
        stamps.append(time.perf_counter())
        for index, (before, after) in enumerate(pairwise(stamps)):
            seconds[index] += after - before
        stamps = [time.perf_counter()]
    return [1000 * total / len(batches) for total in seconds]


def _table(steps: Sequence[Step]) -> Table:
    table = Table(title=f"One training step of {BATCH_SIZE} images: milliseconds and shares")
    for heading in ("net", "path"):
        table.add_column(heading)
    for heading in ("threads", "augmentation", "forward", "backward", "optimizer", "other"):
        table.add_column(heading, justify="right")
    table.add_column("whole", justify="right")
    for step in steps:
        parts = (*asdict(step.pieces).values(), step.other)
        cells = (f"{part:.2f} {part / step.whole:4.0%}" for part in parts)
        table.add_row(step.net, step.path, str(step.threads), *cells, f"{step.whole:.2f}")
    return table


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.breakdown",
        description="Show where the time of a training step goes.",
    )
    add_nets(parser)
    parser.add_argument("--rounds", type=positive, metavar="N", default=5, help="passes that count")
    parser.add_argument("--batches", type=positive, metavar="N", default=120, help="of one pass")
    parser.add_argument(
        "--operators", type=positive, metavar="N", help="also list the N slowest of torch"
    )
    add_json(parser, RESULTS / "breakdown.json")
    return parser.parse_args()


def main() -> None:
    """Measures, writes the JSON file and prints the tables."""
    given = _arguments()
    training, _ = images(require_mnist(), given.batches)
    origin = provenance()
    counts = sorted({1, cores()})
    steps = [
        break_down(net, path, threads, training, given.rounds)
        for net in given.nets
        for path in (Backend.EAGER, Backend.COMPILED)
        for threads in counts
    ]
    show(_table(steps))
    if given.operators:
        for net in given.nets:
            print(net, profile(net, training, given.operators), sep="\n")
    settings = {"nets": given.nets, "rounds": given.rounds, "batches": given.batches}
    rows = [{**asdict(step), "other": step.other} for step in steps]
    path: Path = given.json
    write_json(path, {**origin, "settings": settings, "milliseconds_per_step": rows})
    show(f"raw figures in {path}")


if __name__ == "__main__":
    run_command(main)

"""One optimisation step as a single launch: a CUDA graph of forward, backward and update.

Small networks keep a GPU busy for less time than Python needs to launch their kernels one by
one. A graph records the launches of a step once and repeats them on the same memory, so all that
a step reads must lie at fixed addresses: the batch is copied into buffers of the graph's own, and
the rates of the coming steps wait in a table on the device, which the graph itself reads row by
row.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from typing import TypeAlias

import torch
from torch import Tensor, nn

from trainer.backends.base import add_penalty, backward, count_correct, mean_loss
from trainer.errors import NoKernels
from trainer.optim.flat import FlatOptimizer
from trainer.optim.optimizers import OPTIMIZERS
from trainer.optim.schedules import Rates, rates_at
from trainer.recipe import Recipe
from trainer.runtime import in_one_line, is_out_of_memory
from trainer.weights import FlatWeights

__all__ = ["GraphStep"]

# The number in torch's documentation of captures; libraries initialise themselves meanwhile.
_WARM_UPS = 3
_TABLE_ROWS = 1024

_Figures: TypeAlias = tuple[Tensor, Tensor]


class GraphStep:
    """Forward, backward and update for one batch, as the eager step takes them.

    On a CUDA device the first batch of the recipe's size is recorded as a graph, which that batch
    and all further ones of its size replay. A batch of another size (the last one of an epoch)
    takes the same step launch by launch; when its size comes back it is recorded too. Elsewhere
    every step is taken launch by launch, which gives the same figures and is no faster than the
    plain step. A step does not wait for the device, unless it is recorded.

    The graph holds on to addresses: from the first step on, the network's parameters and buffers
    and the vector of ``weights`` must stay where they are, and only their contents may change.

    Args:
        network: in training mode, on its device; its forward must not wait for the device.
        weights: the network's parameters as one vector.
        recipe: gives optimizer, schedule, batch size, loss and clipping.
        steps_per_epoch: at least 1.

    Raises:
        NoKernels: if a graph cannot record the recipe's optimizer; when stepping, if it cannot
            record the network's forward.
    """

    def __init__(
        self,
        network: nn.Module,
        weights: FlatWeights,
        recipe: Recipe,
        steps_per_epoch: int,
    ) -> None:
        make_flat = OPTIMIZERS[recipe.optimizer].make_flat
        if make_flat is None:
            raise NoKernels(
                f"the graph backend cannot record the optimizer {recipe.optimizer}; use eager"
            )
        optimizer = make_flat(weights, recipe)
        self._table = _RateTable(optimizer, recipe, steps_per_epoch)
        self._step = _DeviceStep(network, weights, recipe, optimizer, self._table)
        self._infer: Callable[[Tensor], Tensor] = network
        self._recorder = _Recorder(weights.vector.device)
        self._recorded: dict[int, _Recorded] = {}
        self._seen = {recipe.batch_size}

    def __call__(self, pixels: Tensor, labels: Tensor, rates: Rates) -> _Figures:
        """Take one step.

        Args:
            pixels: (n, c, h, w), normalised, always of one c, h and w.
            labels: (n,).
            rates: of this step: what :func:`trainer.optim.schedules.rates_at` gives for it, because
                the device already holds these.

        Returns:
            The batch's mean loss and its number of correct predictions, both 0-d and on the
            device. They belong to the caller: later steps do not change them.

        Raises:
            ValueError: if the recipe has other rates for this step, or no such step.
        """
        self._table.advance(rates)
        size = len(labels)
        if size not in self._seen:
            self._seen.add(size)
            return self._step(pixels, labels)
        if size not in self._recorded:
            self._recorded[size] = _Recorded(self._step, pixels, labels, self._recorder)
        return self._recorded[size](pixels, labels)

    def infer(self, pixels: Tensor) -> Tensor:
        """Return the logits (n, classes) of normalised images, in the network's present mode."""
        return self._infer(pixels)

    def observe(self, pixels: Tensor) -> None:
        """Show images to the norms; see :class:`trainer.backends.base.TrainingStep`."""
        self._infer(pixels)


class _RateTable:
    """The optimizer's numbers for the coming steps, on the device, and which are next.

    Attributes:
        position: int64, (1,): the row that :meth:`take` gives next.
    """

    def __init__(self, optimizer: FlatOptimizer, recipe: Recipe, steps_per_epoch: int) -> None:
        self._scalars = optimizer.scalars
        self._rates = partial(rates_at, recipe, steps_per_epoch=steps_per_epoch)
        self._steps = recipe.epochs * steps_per_epoch
        self._taken = 0
        self._coming: list[Rates] = []
        vector = optimizer.state[0]
        columns = len(self._scalars(0, self._rates(step=0)))
        self._rows = vector.new_zeros((_TABLE_ROWS, columns))
        self.position = torch.zeros(1, dtype=torch.int64, device=vector.device)

    def advance(self, rates: Rates) -> None:
        """Prepare the host's side of the next step: check its rates, refill the table.

        Raises:
            ValueError: if the recipe has other rates for this step, or no such step.
        """
        row = self._taken % len(self._rows)
        if row == 0:
            self._refill()
        wanted = self._coming[row] if row < len(self._coming) else None
        if rates != wanted:
            raise ValueError(f"step {self._taken} was given {rates}, but the recipe has {wanted}")
        self._taken += 1

    def take(self) -> Tensor:
        """Return the numbers of the next step, (k,), and advance; all on the device."""
        row = self._rows.index_select(0, self.position)[0]
        self.position.add_(1)
        return row

    def _refill(self) -> None:
        steps = range(self._taken, min(self._taken + len(self._rows), self._steps))
        self._coming = [self._rates(step=step) for step in steps]
        if not steps:
            return
        pairs = zip(steps, self._coming, strict=True)
        rows = torch.tensor([self._scalars(*pair) for pair in pairs], dtype=self._rows.dtype)
        if self._rows.is_cuda:
            # The copy of pinned memory is not waited for.
            rows = rows.pin_memory()
        self._rows[: len(rows)].copy_(rows, non_blocking=True)
        self.position.zero_()


class _DeviceStep:
    """A step that takes everything from the device, and so can be recorded.

    Attributes:
        state: all that a step changes and keeps.
    """

    def __init__(
        self,
        network: nn.Module,
        weights: FlatWeights,
        recipe: Recipe,
        optimizer: FlatOptimizer,
        table: _RateTable,
    ) -> None:
        self._forward: Callable[[Tensor], Tensor] = network
        self._weights = weights
        self._recipe = recipe
        self._optimizer = optimizer
        self._table = table
        self._buffers = dict(network.named_buffers())
        self._named_buffers = network.named_buffers
        self.state: list[Tensor] = [*optimizer.state, table.position, *self._buffers.values()]

    def __call__(self, pixels: Tensor, labels: Tensor) -> _Figures:
        logits = self._forward(pixels)
        self._refuse_new_buffers()
        loss = mean_loss(logits, labels, self._recipe)
        self._optimizer.update(self._gradient(loss), self._table.take())
        return loss.detach(), count_correct(logits, labels)

    def _refuse_new_buffers(self) -> None:
        """Check that the forward changes buffers in place: a graph does not see new ones."""
        for name, buffer in self._named_buffers():
            if self._buffers.get(name) is not buffer:
                raise NoKernels(
                    f"a CUDA graph cannot record this network, whose forward replaces the buffer "
                    f"{name}; change it in place, as {name}.copy_(...) does, or use eager"
                )

    def _gradient(self, loss: Tensor) -> Tensor:
        backward(loss, self._weights)
        vector = self._weights.vector
        gradient, vector.grad = vector.grad, None
        assert gradient is not None
        if self._recipe.l1:
            add_penalty(gradient, vector, self._recipe.l1)
        return _clipped(gradient, self._recipe.gradient_clip)


def _clipped(gradient: Tensor, greatest: float) -> Tensor:
    """Clip a gradient to a norm, 0 for any, as :func:`torch.nn.utils.clip_grad_norm_` does."""
    if not greatest:
        return gradient
    factor: Tensor = greatest / (torch.linalg.vector_norm(gradient) + 1e-6)
    return gradient * factor.clamp(max=1.0)


class _Recorded:
    """A step for one shape of batches, on buffers of its own."""

    def __init__(
        self, step: _DeviceStep, pixels: Tensor, labels: Tensor, recorder: _Recorder
    ) -> None:
        self._pixels, self._labels = _like(pixels), _like(labels)
        self._load(pixels, labels)
        self._replay = recorder.record(partial(step, self._pixels, self._labels), step.state)

    def __call__(self, pixels: Tensor, labels: Tensor) -> _Figures:
        self._load(pixels, labels)
        loss, correct = self._replay()
        return loss.clone(), correct.clone()

    def _load(self, pixels: Tensor, labels: Tensor) -> None:
        self._pixels.copy_(pixels)
        self._labels.copy_(labels)


def _like(tensor: Tensor) -> Tensor:
    # The strides mark even a single channel as channels-last; a memory format would not.
    return torch.empty_strided(
        tensor.shape, tensor.stride(), dtype=tensor.dtype, device=tensor.device
    )


class _Recorder:
    """What repeats functions: on CUDA by a graph of each, elsewhere by calling them.

    The graphs of one recorder work in the same memory, so only one of them may run at a time.

    Args:
        device: on which the functions compute.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._pool = torch.cuda.graph_pool_handle() if device.type == "cuda" else None

    def record(
        self, function: Callable[[], _Figures], state: Sequence[Tensor]
    ) -> Callable[[], _Figures]:
        """Return what repeats a function.

        The function runs a few times first, which leaves ``state`` and the random generators as
        they were.

        Args:
            function: reads and writes the same memory whenever it is called.
            state: what it changes and keeps, on the device.

        Returns:
            A function with the same results; on CUDA in the same tensors every time.
        """
        if self._device.type == "cuda":
            return self._graph(function, state)
        _warm_up(function, state)
        return function

    def _graph(
        self, function: Callable[[], _Figures], state: Sequence[Tensor]
    ) -> Callable[[], _Figures]:
        with torch.cuda.device(self._device):
            # Made outside of this block it would take memory of the first device as well.
            graph = torch.cuda.CUDAGraph()
            stream = _recording_stream(self._device)
            # The libraries' handles and workspaces belong to a stream: one for both.
            with _in_turn(stream):
                _warm_up(function, state)
                with (
                    _explained(),
                    _no_collection(),
                    torch.cuda.graph(graph, pool=self._pool, stream=stream),
                ):
                    figures = function()
        # Whoever holds the result holds the memory that the function knows as well.
        return partial(_replay, graph, figures, function)


@cache
def _recording_stream(device: torch.device) -> torch.cuda.Stream:
    """Return the stream on which all graphs of a device are recorded.

    Torch keeps a workspace of cuBLAS, 65 MiB on large GPUs, for each stream that ever used it.
    """
    new_stream: Callable[[torch.device], torch.cuda.Stream] = torch.cuda.Stream
    return new_stream(device)


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what CUDA says of a forward that it cannot record into an error that says so.

    Raises:
        NoKernels: in place of the errors of CUDA that name the capture.
    """
    try:
        yield
    except RuntimeError as error:
        if "captur" not in str(error) or is_out_of_memory(error):
            raise
        raise NoKernels(
            "a CUDA graph cannot record this network; its forward must not wait for the device, as "
            f".item() and printing do; use eager ({in_one_line(error)})"
        ) from error


@contextmanager
def _in_turn(stream: torch.cuda.Stream) -> Iterator[None]:
    """Work on a stream after the work of the present one, which then goes on after it.

    Also where the block fails: its work may still write memory that is freed then.
    """
    outer = torch.cuda.current_stream()
    stream.wait_stream(outer)
    try:
        with torch.cuda.stream(stream):
            yield
    finally:
        outer.wait_stream(stream)


def _replay(
    graph: torch.cuda.CUDAGraph, figures: _Figures, function: Callable[[], _Figures]
) -> _Figures:
    graph.replay()
    return figures


def _warm_up(function: Callable[[], _Figures], state: Sequence[Tensor]) -> None:
    for _ in range(_WARM_UPS):
        with _untouched(state):
            function()


@contextmanager
def _untouched(state: Sequence[Tensor]) -> Iterator[None]:
    """Restore tensors, and the random generators of their device, after the block."""
    kept = [tensor.clone() for tensor in state]
    cuda = [tensor.device for tensor in state[:1] if tensor.is_cuda]
    with torch.random.fork_rng(cuda, device_type="cuda"):
        try:
            yield
        finally:
            for tensor, value in zip(state, kept, strict=True):
                tensor.copy_(value)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Pause the garbage collector: a graph that it frees would spoil the one recorded."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()

"""The arithmetic of an int8 network, in whole numbers: what the generated C computes, bit for bit.

A kernel computes a whole number for each value and stores ``clamp(a * factor / 2 ** shift + offset
/ 2 ** 16)``, rounded to the nearest, half up. All else is sums and products of whole numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from search.deployed.floating import shape_of
from search.deployed.quantise import (
    LEAST,
    MOST,
    OFFSET_BITS,
    RATIO_BITS,
    ROOT_BITS,
    QuantisedNetwork,
    Tables,
)
from space.deployed.kernels import (
    Affine,
    GroupNormalise,
    Image,
    Kernel,
    Multiply,
    PoolMap,
    Sum,
    Table,
)
from space.layers.spelling import both

__all__ = ["run_integers"]

_BATCH = 128
"""So many images at once stay in the processor's cache."""

_EXACT_IN_SINGLE = 2**24
"""Single precision holds every whole number below this exactly, double precision up to 2**53."""


def run_integers(
    network: QuantisedNetwork,
    images: Tensor,
    watch: Callable[[int, Tensor], None] | None = None,
) -> Tensor:
    """Return the logits of images as whole numbers.

    Args:
        network: the network.
        images: uint8 (n, channels, height, width).
        watch: is called with the index of each value and the value, int64.

    Returns:
        int64 (n, classes), each of -128 to 127.
    """
    if watch is None and len(images) > _BATCH:
        batches = torch.split(images, _BATCH)
        return torch.cat([run_integers(network, batch) for batch in batches])
    deployed = network.deployed
    values: dict[int, Tensor] = {0: images.long()}
    last_reads = deployed.last_reads
    for number, kernel in enumerate(deployed.kernels):
        run = _Run(network, number, values)
        values[kernel.target] = run.result(kernel)
        if watch is not None:
            watch(kernel.target, values[kernel.target])
        for read in last_reads[number]:
            del values[read]
    return values[deployed.logits].flatten(1)


class _Run:
    """One kernel on some images."""

    def __init__(
        self, network: QuantisedNetwork, number: int, values: Mapping[int, Tensor]
    ) -> None:
        kernel = network.deployed.kernels[number]
        self._tables = network.tables[number]
        self._values = values
        self._before = network.scalings[kernel.source]
        self._after = network.scalings[kernel.target]
        self._scalings = network.scalings
        self._between = network.between.get(number, self._after)

    def result(self, kernel: Kernel) -> Tensor:
        """Return what the kernel writes, int64."""
        value = self._values[kernel.source]
        centred = value - self._before.zero
        match kernel:
            case Image():
                return self._stored(value)
            case Multiply():
                return self._multiplied(kernel, centred)
            case PoolMap():
                return self._pooled(kernel, value, centred)
            case Sum():
                other = self._values[kernel.other] - self._scalings[kernel.other].zero
                factor = _factor(self._tables)
                return self._shifted(centred * factor[0] + other * factor[1])
            case Affine():
                return self._stored(centred)
            case GroupNormalise():
                return self._stored(_ratios(centred, kernel.groups, self._tables.epsilon))
            case Table():
                return self._looked_up(value)

    def _multiplied(self, kernel: Multiply, centred: Tensor) -> Tensor:
        shape = shape_of(centred)
        window = kernel.window(shape)
        tables = self._tables
        assert tables.weight is not None
        assert tables.bias is not None
        most = (MOST - LEAST) * tables.weight.double().abs().sum((1, 2, 3))
        largest = float((most + tables.bias.double().abs()).max())
        exact = torch.float32 if largest < _EXACT_IN_SINGLE else torch.float64
        sums = functional.conv2d(
            centred.to(exact),
            tables.weight.to(exact),
            tables.bias.to(exact),
            window.stride,
            window.padding,
            window.dilation,
            kernel.groups(shape),
        ).long()
        stored = self._stored(sums.clamp(min=0) if kernel.rectify else sums)
        if tables.table is not None:
            stored = self._looked_up(stored)
        if kernel.pool is not None:
            stored = functional.max_pool2d(stored.double(), both(kernel.pool.size)).long()
        return stored

    def _pooled(self, kernel: PoolMap, value: Tensor, centred: Tensor) -> Tensor:
        window = kernel.window(shape_of(value))
        if kernel.is_mean:
            size = window.size[0] * window.size[1]
            means = functional.avg_pool2d(
                centred.double(), window.size, window.stride, window.padding
            )
            return self._stored((means * size).round().long())
        highest = functional.max_pool2d(value.double(), window.size, window.stride, window.padding)
        return highest.long().clamp(min=self._tables.low)

    def _looked_up(self, value: Tensor) -> Tensor:
        assert self._tables.table is not None
        return self._tables.table.long()[value - LEAST]

    def _stored(self, value: Tensor) -> Tensor:
        """Multiply whole numbers (n, channels, height, width), and store the result."""
        return self._shifted(value * _factor(self._tables).view(-1, 1, 1))

    def _shifted(self, product: Tensor) -> Tensor:
        tables = self._tables
        zero = torch.tensor([self._between.zero << OFFSET_BITS])
        offset = zero if tables.offset is None else tables.offset.long()
        added = (offset << (tables.shift - OFFSET_BITS)) + (1 << (tables.shift - 1))
        return ((product + added.view(-1, 1, 1)) >> tables.shift).clamp(tables.low, MOST)


def _factor(tables: Tables) -> Tensor:
    assert tables.factor is not None
    return tables.factor.long()


def _ratios(centred: Tensor, groups: int, epsilon: int) -> Tensor:
    """Return how many deviations each value is from the mean of its group."""
    parts = centred.view(len(centred), groups, -1)
    size = parts.shape[-1]
    total = parts.sum(-1, keepdim=True)
    spread = size * parts.square().sum(-1, keepdim=True) - total.square()
    root = _root((spread << (2 * ROOT_BITS)) + epsilon)
    inverse = (1 << (2 * RATIO_BITS + ROOT_BITS)) // root
    ratios = ((parts * size - total) * inverse) >> RATIO_BITS
    return ratios.view_as(centred)


def _root(squares: Tensor) -> Tensor:
    """Return the largest whole numbers whose squares are no larger."""
    root = squares.double().sqrt().long()
    root = root - (root * root > squares).long()
    return root + ((root + 1) * (root + 1) <= squares).long()

"""Run a deployed network in floats, kernel by kernel."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from search.deployed.folding import Arrays, FoldedNetwork
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
from space.layers.activations import ACTIVATIONS
from space.layers.spelling import both
from space.layers.words import Shape

__all__ = ["activated", "run_floats", "shape_of"]


def run_floats(
    network: FoldedNetwork,
    images: Tensor,
    stored: Callable[[int, Tensor], Tensor] | None = None,
    before_table: Callable[[int, Tensor], Tensor] | None = None,
) -> Tensor:
    """Return the logits of images.

    Args:
        network: as it is deployed.
        images: (n, channels, height, width), floats in [0, 1].
        stored: is called with the index of each value that a kernel gives and the value, and
            returns what goes on.
        before_table: is called with the number of each kernel that applies another activation than
            relu and what it applies it to, and returns what goes on.

    Returns:
        (n, classes), in the precision of the weights; those of :func:`search.deployed.folding.fold`
        are in double precision.
    """
    deployed = network.deployed
    first = network.arrays[0].scale
    assert first is not None, "the first kernel makes a map of the image"
    values: dict[int, Tensor] = {0: images.to(first)}
    last_reads = deployed.last_reads
    for number, (kernel, arrays) in enumerate(zip(deployed.kernels, network.arrays, strict=True)):
        value = _apply(kernel, arrays, values)
        if isinstance(kernel, Multiply | Table) and kernel.activation is not None:
            if before_table is not None:
                value = before_table(number, value)
            value = activated(kernel.activation, value, arrays.slope)
            value = _pooled(kernel, value) if isinstance(kernel, Multiply) else value
        if kernel.relu:
            value = value.relu()
        values[kernel.target] = value if stored is None else stored(kernel.target, value)
        for read in last_reads[number]:
            del values[read]
    return values[deployed.logits].flatten(1)


def activated(name: str, value: Tensor, slope: float | None) -> Tensor:
    """Apply an activation by its word; ``slope`` is that of ``prelu`` below 0."""
    if slope is not None:
        return torch.where(value < 0, slope * value, value)
    function = ACTIVATIONS[name].function
    assert function is not None, f"{name} has neither a function nor a slope"
    result: Tensor = getattr(functional, function)(value)
    return result


def _apply(kernel: Kernel, arrays: Arrays, values: Mapping[int, Tensor]) -> Tensor:
    """Apply a kernel, up to the activation that a table would hold."""
    value = values[kernel.source]
    match kernel:
        case Image() | Affine():
            return _scaled(value, arrays)
        case Multiply():
            return _multiplied(kernel, arrays, value)
        case PoolMap():
            return _pool_map(kernel, value)
        case Sum():
            return value + values[kernel.other]
        case GroupNormalise():
            assert arrays.epsilon is not None
            return functional.group_norm(
                value, kernel.groups, arrays.scale, arrays.shift, arrays.epsilon
            )
        case Table():
            return value


def _multiplied(kernel: Multiply, arrays: Arrays, value: Tensor) -> Tensor:
    shape = shape_of(value)
    window = kernel.window(shape)
    assert arrays.weight is not None
    value = functional.conv2d(
        value,
        arrays.weight,
        arrays.bias,
        window.stride,
        window.padding,
        window.dilation,
        kernel.groups(shape),
    )
    if kernel.rectify:
        value = _scaled(value.relu(), arrays)
    return value if kernel.activation else _pooled(kernel, value)


def _pooled(kernel: Multiply, value: Tensor) -> Tensor:
    return value if kernel.pool is None else functional.max_pool2d(value, both(kernel.pool.size))


def _pool_map(kernel: PoolMap, value: Tensor) -> Tensor:
    window = kernel.window(shape_of(value))
    pool = functional.avg_pool2d if kernel.is_mean else functional.max_pool2d
    return pool(value, window.size, window.stride, window.padding)


def shape_of(value: Tensor) -> Shape:
    """Return channels, height and width of maps (n, channels, height, width)."""
    _, channels, height, width = value.shape
    return channels, height, width


def _scaled(value: Tensor, arrays: Arrays) -> Tensor:
    assert arrays.scale is not None
    assert arrays.shift is not None
    return value * arrays.scale.view(-1, 1, 1) + arrays.shift.view(-1, 1, 1)

"""The instructions that a deployed int8 network takes for one image, from a committed table.

What each kernel has to do is counted: products, rows of windows, values. The instructions for each
of these were fitted to what an emulator counted (``python -m tests.mcu.instructions``).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from math import prod

from space.deployed.kernels import (
    Affine,
    Deployed,
    GroupNormalise,
    Image,
    Multiply,
    PoolMap,
    Sum,
    Table,
    Window,
)
from space.layers.operations import Depthwise
from space.layers.spelling import both
from space.layers.words import Shape, elements

__all__ = ["instructions", "work_of"]


def instructions(deployed: Deployed, core: str) -> float:
    """Estimate the instructions of one inference.

    Args:
        deployed: the network.
        core: one of ``space.deployed.flash.CORES``.
    """
    costs = _costs()[core]
    return sum(costs[what] * count for what, count in work_of(deployed).items())


def work_of(deployed: Deployed) -> Mapping[str, int]:
    """Count what a network does for one image, by what it is."""
    work: Counter[str] = Counter({"network": 1})
    for kernel in deployed.kernels:
        before, after = deployed.values[kernel.source].shape, deployed.values[kernel.target].shape
        match kernel:
            case Image():
                work["image value"] += elements(before)
            case Multiply():
                _add_products(work, kernel, before, after)
            case PoolMap():
                window = kernel.window(before)
                _, taps = _rows_and_taps(window, before, after[1:])
                positions = prod(after[1:])
                work["window"] += positions
                work["pool value"] += positions * after[0]
                work["pool tap"] += taps * after[0]
                work["mean"] += positions * after[0] * kernel.is_mean
            case Sum():
                work["sum value"] += elements(after)
            case Affine():
                work["affine value"] += elements(after)
            case Table():
                work["table value"] += elements(after)
            case GroupNormalise():
                work["group"] += kernel.groups
                work["group value"] += elements(after)
    return {what: count for what, count in work.items() if count}


def _add_products(work: Counter[str], kernel: Multiply, before: Shape, after: Shape) -> None:
    pool = (1, 1) if kernel.pool is None else both(kernel.pool.size)
    sides = after[1] * pool[0], after[2] * pool[1]
    rows, taps = _rows_and_taps(kernel.window(before), before, sides)
    channels = after[0]
    kind = "depthwise" if isinstance(kernel.word, Depthwise) else "convolution"
    work["window"] += prod(sides)
    work[f"{kind} value"] += prod(sides) * channels
    work[f"{kind} row"] += rows * channels
    if kind == "depthwise":
        work["depthwise product"] += taps * channels
    else:
        groups = kernel.groups(before)
        work["product"] += taps * channels * (before[0] // groups)
        if groups > 1 or kernel.window(before).dilation[1] > 1:
            work["tap"] += taps * channels


def _rows_and_taps(window: Window, before: Shape, sides: tuple[int, int]) -> tuple[int, int]:
    """Return the rows of all windows that lie on a map, and the pixels in them."""
    rows, columns = (
        sum(
            0
            <= place * window.stride[axis] - window.padding[axis] + tap * window.dilation[axis]
            < before[1 + axis]
            for place in range(sides[axis])
            for tap in range(window.size[axis])
        )
        for axis in (0, 1)
    )
    return rows * sides[1], rows * columns


@cache
def _costs() -> Mapping[str, Mapping[str, float]]:
    text = (files(__package__) / "instructions.json").read_text(encoding="utf-8")
    found: Mapping[str, Mapping[str, float]] = json.loads(text)["cores"]
    return found

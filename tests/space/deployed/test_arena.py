from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from space.architecture import Architecture
from space.deployed.arena import Arena, gap, plan_arena
from space.deployed.kernels import Deployed, Kernel, Multiply, PoolMap
from space.deployed.lowering import lower
from space.layers.operations import Conv, Pool
from space.layers.spelling import Sides, both
from space.layers.words import Shape, elements
from tests.space.strategies import BLOCKS, architectures


def pixels_read(kernel: Multiply | PoolMap, before: Shape, row: int, column: int) -> np.ndarray:
    """Return the elements that are read for one pixel that is written, in no order."""
    window = kernel.window(before)
    channels, height, width = before
    size = both(kernel.pool.size) if isinstance(kernel, Multiply) and kernel.pool else (1, 1)
    reads = []
    for place in product(*map(range, size), *map(range, window.size)):
        y, x = (
            (position * pooled + inner) * stride - padding + tap * dilation
            for position, pooled, inner, stride, padding, tap, dilation in zip(
                (row, column),
                size,
                place[:2],
                window.stride,
                window.padding,
                place[2:],
                window.dilation,
                strict=True,
            )
        )
        if 0 <= y < height and 0 <= x < width:
            reads.append(np.arange(channels) + (y * width + x) * channels)
    return np.unique(np.concatenate(reads)) if reads else np.empty(0, int)


class Memory:
    """An arena that knows of each element which value's it holds."""

    def __init__(self, deployed: Deployed, arena: Arena) -> None:
        self._deployed = deployed
        self._arena = arena
        self._value = np.full(arena.elements, -1)
        self._element = np.full(arena.elements, -1)
        self.write(0)

    def read(self, value: int, which: np.ndarray | None = None) -> None:
        place, which = self._place(value, which)
        assert (self._value[place] == value).all()
        assert (self._element[place] == which).all()

    def write(self, value: int, which: np.ndarray | None = None) -> None:
        place, which = self._place(value, which)
        self._value[place], self._element[place] = value, which

    def _place(self, value: int, which: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        found = self._deployed.values[value]
        which = np.arange(elements(found.shape)) if which is None else which
        return self._arena.offsets[found.buffer] + which, which

    def run(self, kernel: Kernel) -> None:
        """Read and write as the kernel does."""
        if not isinstance(kernel, Multiply | PoolMap):
            for value in self._deployed.reads(kernel):
                self.read(value)
            self.write(kernel.target)
            return
        before = self._deployed.values[kernel.source].shape
        made, rows, columns = self._deployed.values[kernel.target].shape
        for pixel, (row, column) in enumerate(product(range(rows), range(columns))):
            reads = pixels_read(kernel, before, row, column)
            for channel in dict.fromkeys((0, made - 1)):
                self.read(kernel.source, reads)
                self.write(kernel.target, np.arange(channel + 1) + pixel * made)


@settings(max_examples=60)
@given(architectures())
def test_nothing_is_overwritten_before_it_was_read(architecture: Architecture) -> None:
    """Every kernel finds what it reads, though maps share memory; the logits are there at last."""
    deployed = lower(architecture)
    memory = Memory(deployed, plan_arena(deployed))
    for kernel in deployed.kernels:
        memory.run(kernel)
    memory.read(deployed.logits)


def test_long_skips_share_memory() -> None:
    """The same holds for blocks with long skips that are applied again."""
    deployed = lower(BLOCKS)
    memory = Memory(deployed, plan_arena(deployed))
    for kernel in deployed.kernels:
        memory.run(kernel)


sides = st.integers(1, 9)
channels = st.integers(1, 5)


@st.composite
def kernels(draw: st.DrawFn) -> tuple[Multiply, Shape]:
    """Make a convolution, often with odd windows and a pool, and a map that it fits."""
    before = draw(channels), draw(sides), draw(sides)
    kernel, stride, padding, dilation = (
        (draw(each), draw(each))
        for each in (st.integers(1, 5), st.integers(1, 4), st.integers(0, 5), st.integers(1, 2))
    )
    word = Conv(one_or_two(kernel), draw(channels), one_or_two(padding))
    word = replace(word, stride=one_or_two(stride), dilation=one_or_two(dilation))
    assume(min(word.output(before)) >= 1)
    pool = Pool("max", draw(st.integers(2, 3))) if draw(st.booleans()) else None
    assume(pool is None or min(pool.output(word.output(before))) >= 1)
    return Multiply(0, 1, word, "conv", pool=pool), before


def one_or_two(pair: tuple[int, int]) -> Sides:
    """Return one number where both are the same."""
    return pair[0] if pair[0] == pair[1] else pair


@settings(max_examples=300)
@given(kernels())
def test_the_gap_is_the_smallest(drawn: tuple[Multiply, Shape]) -> None:
    """No smaller gap would do, if nothing is padded, dilated or skipped by a stride."""
    kernel, before = drawn
    after = kernel.word.output(before)
    after = after if kernel.pool is None else kernel.pool.output(after)
    made, rows, columns = after
    needed, lowest = -elements(before), elements(before)
    for row, column in reversed(list(product(range(rows), range(columns)))):
        reads = pixels_read(kernel, before, row, column)
        lowest = min(lowest, int(reads.min()) if len(reads) else lowest)
        needed = max(needed, (row * columns + column + 1) * made - lowest)
    found = gap(kernel, before, after)
    assert found >= needed
    window = kernel.window(before)
    if window.padding == (0, 0) and window.dilation == (1, 1):
        assert found == needed


@pytest.mark.parametrize("lines", [["conv3 8"], ["conv3 8 relu", "maxpool2"]])
def test_a_map_lies_over_the_one_that_it_is_made_of(lines: list[str]) -> None:
    """A convolution needs the larger of two maps and some rows, and pools as it goes."""
    deployed = lower(Architecture.parse([*lines, "gap", "linear 10"]))
    largest = max(deployed.buffers)
    assert largest == (1352 if len(lines) == 2 else 5408)
    assert largest <= plan_arena(deployed).elements <= largest + 4 * 28

"""Where the buffers of a deployed network lie in one piece of memory, the arena.

Buffers that are not needed at the same time share memory. So do a map and the one that is made of
it, as far as a kernel that goes through them from the first pixel to the last has read what it
overwrites: the new map begins before the old one, by a gap that follows from the windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from space.deployed.kernels import Deployed, Multiply, PoolMap
from space.layers.spelling import both
from space.layers.words import Shape, elements

__all__ = ["Arena", "gap", "plan_arena"]


@dataclass(frozen=True)
class Arena:
    """The places of all buffers.

    Attributes:
        offsets: of each buffer, in elements from the start of the arena.
        elements: of the arena.
    """

    offsets: tuple[int, ...]
    elements: int


@dataclass(frozen=True, slots=True)
class _Buffer:
    """A buffer, and the kernels by which it is first and last used."""

    index: int
    size: int
    first: int
    last: int


def plan_arena(deployed: Deployed) -> Arena:
    """Give each buffer a place, so that none is overwritten before it was last read.

    The same network always has the same plan. It is the best of a few orders in which each buffer
    takes the first place that is free, which is not always the best of all plans.
    """
    buffers = _buffers(deployed)
    gaps = _gaps(deployed)
    orders: tuple[Iterable[_Buffer], ...] = (
        reversed(buffers),
        sorted(buffers, key=lambda each: (-each.size, each.index)),
        buffers,
    )
    plans = [_first_fit(order, gaps, len(buffers)) for order in orders]
    return min(plans, key=lambda plan: plan.elements)


def _buffers(deployed: Deployed) -> list[_Buffer]:
    """Return all buffers, in the order in which they are first used."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for number, kernel in enumerate(deployed.kernels):
        for value in (*deployed.reads(kernel), kernel.target):
            buffer = deployed.values[value].buffer
            first.setdefault(buffer, number)
            last[buffer] = number
    sizes = deployed.buffers
    return [_Buffer(index, sizes[index], begin, last[index]) for index, begin in first.items()]


def _gaps(deployed: Deployed) -> dict[tuple[int, int], int]:
    """Return by how much a buffer may begin before another that it is made of."""
    last: dict[int, int] = {}
    for number, kernel in enumerate(deployed.kernels):
        for value in deployed.reads(kernel):
            last[deployed.values[value].buffer] = number
    found = {}
    for number, kernel in enumerate(deployed.kernels):
        if isinstance(kernel, Multiply | PoolMap):
            source, target = deployed.values[kernel.source], deployed.values[kernel.target]
            if source.buffer != target.buffer and last[source.buffer] == number:
                found[target.buffer, source.buffer] = gap(kernel, source.shape, target.shape)
    return found


def gap(kernel: Multiply | PoolMap, before: Shape, after: Shape) -> int:
    """Return by how many elements the new map must begin before the one that it is made of.

    Then no element is overwritten that is still to be read: a kernel makes pixels row by row, and
    reads all that a pixel needs before, and while, it writes it.

    Args:
        kernel: what is computed.
        before: the map that is read.
        after: the map that is written.
    """
    step, padding = _spread(kernel, before)
    return _gap(step, padding, before, after)


@lru_cache(8192)
def _gap(step: tuple[int, int], padding: tuple[int, int], before: Shape, after: Shape) -> int:
    (down, right), (above, aside) = step, padding
    channels, height, width = before
    made, rows, columns = after
    whole = elements(before)

    def first_element(row: int, column: int) -> int:
        """Return the first element that a pixel reads."""
        top = min(height, max(0, row * down - above))
        left = min(width, max(0, column * right - aside))
        return min((top * width + left) * channels, whole)

    # By how much a pixel is ahead rises along a row while its window hangs over the left edge, then
    # it rises or falls evenly. So the greatest is beside that turn or at the end, and by the same
    # reason in one of a few rows.
    last, turn = rows - 1, above // down
    places = {min(each, columns - 1) for each in (aside // right, aside // right + 1, columns)}
    ahead = []
    for row in {max(0, min(turn + each, last)) for each in (-1, 0, 1)} | {max(0, last - 1), last}:
        later = first_element(row + 1, 0) if row < last else whole
        for column in places:
            read = min(first_element(row, column), later)
            ahead.append((row * columns + column + 1) * made - read)
    return max(ahead)


def _spread(kernel: Multiply | PoolMap, before: Shape) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return how far the windows of two pixels that are written are apart, and the padding."""
    window = kernel.window(before)
    if isinstance(kernel, Multiply) and kernel.pool is not None:
        down, right = both(kernel.pool.size)
        return (window.stride[0] * down, window.stride[1] * right), window.padding
    return window.stride, window.padding


def _first_fit(order: Iterable[_Buffer], gaps: dict[tuple[int, int], int], count: int) -> Arena:
    """Give each buffer the first place that does not disturb those that have one."""
    placed: list[tuple[_Buffer, int]] = []
    offsets = [0] * count
    for buffer in order:
        taken = [_taken(buffer, other, at, gaps) for other, at in placed if _meet(buffer, other)]
        offset = _first_free(taken)
        offsets[buffer.index] = offset
        placed.append((buffer, offset))
    return Arena(tuple(offsets), max(at + buffer.size for buffer, at in placed))


def _meet(one: _Buffer, other: _Buffer) -> bool:
    return one.first <= other.last and other.first <= one.last


def _taken(
    buffer: _Buffer, other: _Buffer, at: int, gaps: dict[tuple[int, int], int]
) -> tuple[int, int]:
    """Return the open interval in which a buffer must not begin beside one that has its place."""
    before, behind = at - buffer.size, at + other.size
    if (made := gaps.get((buffer.index, other.index))) is not None:
        before = max(before, at - made)
    if (made := gaps.get((other.index, buffer.index))) is not None:
        behind = min(behind, at + made)
    return before, behind


def _first_free(taken: Sequence[tuple[int, int]]) -> int:
    """Return the first offset from 0 that lies in none of some open intervals."""
    offset = 0
    for before, behind in sorted(taken):
        if before < offset < behind:
            offset = behind
    return offset

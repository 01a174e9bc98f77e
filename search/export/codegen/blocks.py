"""Lay out the source of an exported network: its blocks, their names, its forward pass.

Leaves that always act one after another become one block; blocks end where a stage ends, where a
skip starts or is added, and where a repetition starts or ends. A leaf without weights that is
a block by itself is called as a function instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

from search.export.codegen.unfold import ApplyLeaf, Leaf, LeafStep, unfold
from space.architecture import Architecture
from space.layers.operations import Conv, Convolution, Linear, Pooling, WholeMap
from space.layers.words import BatchNorm, Shape, Skip
from space.program import Add, Keep

__all__ = ["ApplyBlock", "Block", "SourcePlan", "SourceStep", "plan_source"]

_HEAD = -1  # a group like the numbers of pools, after them all


@dataclass(frozen=True)
class Block:
    """Modules that always act one after another.

    Attributes:
        name: of the attribute that holds them; empty when they are called as functions instead.
        leaves: the modules, in order.
        closes: whether the block also flattens the last maps to logits.
    """

    name: str
    leaves: tuple[Leaf, ...]
    closes: bool = False


@dataclass(frozen=True)
class ApplyBlock:
    """The step that applies a block; ``shape`` is the map that it gives in this place."""

    block: Block
    shape: Shape


SourceStep: TypeAlias = ApplyBlock | Keep | Add


@dataclass(frozen=True)
class SourcePlan:
    """The layout of the source of a network.

    Attributes:
        blocks: those with a name, in the order of the text.
        steps: the forward pass.
        gives_maps: whether the steps end with maps of one pixel rather than with logits.
    """

    blocks: tuple[Block, ...]
    steps: tuple[SourceStep, ...]
    gives_maps: bool


def plan_source(architecture: Architecture) -> SourcePlan:
    """Lay out the source of an architecture.

    Raises:
        ShapeError: the architecture does not fit together.
    """
    moves, leaves = unfold(architecture)
    flat = any(leaf.form != "maps" for leaf in leaves)
    groups = _groups(architecture)
    starts = sorted(_starts(moves, leaves, groups))
    spans = [leaves[a:b] for a, b in pairwise([*starts, len(leaves)])]
    blocks = dict(zip(starts, _named(spans, groups), strict=True))
    closing = None if flat else _closing(moves, blocks)
    if closing is not None:
        blocks[closing] = replace(blocks[closing], closes=True)
    return SourcePlan(
        tuple(block for block in blocks.values() if block.name),
        tuple(_steps(moves, blocks)),
        gives_maps=not flat and closing is None,
    )


def _closing(moves: list[LeafStep], blocks: dict[int, Block]) -> int | None:
    """Find the block that ends the forward pass, if it has a name and does nothing else."""
    last = moves[-1]
    if not isinstance(last, ApplyLeaf):
        return None
    start = max(start for start in blocks if start <= last.leaf)
    times = sum(isinstance(move, ApplyLeaf) and move.leaf == start for move in moves)
    return start if times == 1 and blocks[start].name else None


def _groups(architecture: Architecture) -> list[int]:
    """Return the part that each line belongs to: the head, or the number of pools before it."""
    layers = architecture.layers
    head = _head(architecture)
    groups: list[int] = []
    pools = 0
    for line, layer in enumerate(layers):
        groups.append(_HEAD if line >= head else pools)
        pools += isinstance(layer.operation, Pooling)
    return groups


def _head(architecture: Architecture) -> int:
    """Find the first line of the head: the first to see the whole map, else the last line.

    A classifier just before a closing ``gap`` belongs to it.
    """
    layers = architecture.layers
    last = len(layers) - 1
    whole = [line for line, layer in enumerate(layers) if isinstance(layer.operation, WholeMap)]
    if not whole:
        return last
    before = layers[whole[0] - 1] if whole[0] == last > 0 else None
    classifies = (
        before is not None
        and isinstance(before.operation, Conv)
        and before.operation.channels == architecture.classes
        and not any(isinstance(word, Skip) for word in before.words)
    )
    return whole[0] - classifies


def _starts(moves: list[LeafStep], leaves: list[Leaf], groups: list[int]) -> set[int]:
    """Find the leaves with which blocks start."""
    lines = [leaf.line for leaf in leaves]
    within = range(1, len(lines))
    starts = {0} if leaves else set()
    starts |= {index for index in within if groups[lines[index - 1]] != groups[lines[index]]}
    before: int | None = None  # the leaf just applied, with nothing after it so far
    for move in [*moves, None]:
        leaf = move.leaf if isinstance(move, ApplyLeaf) else None
        if leaf is None or before is None or leaf != before + 1:
            starts |= {index for index in (leaf, None if before is None else before + 1) if index}
        before = leaf
    for start in sorted(starts):
        if start in within and lines[start - 1] == lines[start]:
            # A block that starts within a line also ends with it, which is easier to read.
            after = (index for index in within if index > start and lines[index] != lines[start])
            starts |= {next(after, len(lines))}
    return {start for start in starts if start < len(lines)}


def _named(spans: list[list[Leaf]], groups: list[int]) -> Iterator[Block]:
    """Name each block that needs a module by its part, with a number if the part has several."""
    homes = [
        groups[span[0].line] if any(leaf.needs_module for leaf in span) else None for span in spans
    ]
    blocks = Counter(home for home in homes if home is not None)
    names = {
        home: "head" if home == _HEAD else f"stage{number}" for number, home in enumerate(blocks, 1)
    }
    seen: Counter[int] = Counter()
    for span, home in zip(spans, homes, strict=True):
        name = ""
        if home is not None:
            seen[home] += 1
            place = f"_{_kind(span)}{seen[home]}" if blocks[home] > 1 else ""
            name = names[home] + place
        yield Block(name, tuple(span))


def _kind(span: list[Leaf]) -> str:
    lines = {leaf.line for leaf in span if isinstance(leaf.word, Convolution)}
    if len(lines) == 1:
        return "conv"
    if not lines and any(isinstance(leaf.word, Linear) for leaf in span):
        return "linear"
    norms = any(isinstance(leaf.word, BatchNorm) for leaf in span)
    return "norm" if norms and not lines else "block"


def _steps(moves: list[LeafStep], blocks: dict[int, Block]) -> Iterator[SourceStep]:
    """Replace the leaves of the flattened applications by their blocks."""
    ends = {start + len(block.leaves) - 1: block for start, block in blocks.items()}
    for move in moves:
        if not isinstance(move, ApplyLeaf):
            yield move
        elif move.leaf in ends:
            yield ApplyBlock(ends[move.leaf], move.after)

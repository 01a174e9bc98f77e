"""How the source of an exported network is laid out: its blocks, their names, its forward pass.

A *leaf* is one module of ``torch.nn``. Leaves that always act one after another become one block;
blocks end where a stage ends, where a skip starts or is added, and where a repetition starts or
ends. What holds no weights and stands alone is called as a function instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import torch

from space.architecture import Architecture
from space.network import build
from space.operations import Conv, Convolution, Linear, Pool, Separable, WholeMap
from space.words import Activation, BatchNorm, Dropout, Shape, Skip, Word

__all__ = ["Add", "Apply", "Block", "Keep", "Leaf", "Plan", "Step", "make_plan"]

Form = Literal["maps", "flattens", "flat"]


@dataclass(frozen=True)
class Leaf:
    """One module: a word of a line, or one half of a separable convolution.

    Attributes:
        word: what it does.
        line: index of its line in the text.
        path: its name inside the trained network; the names of its weights start with it.
        channels: of the map that it reads.
        elements: of the map that it reads.
        output: the map that it gives, None where repetitions give several.
        form: whether it works on maps, or on (n, features) after it ``flattens`` them or what
            comes before did. A linear leaf on maps gives maps of one pixel.
    """

    word: Word
    line: int
    path: str
    channels: int
    elements: int
    output: Shape | None
    form: Form

    @property
    def has_weights(self) -> bool:
        """Whether anything of it is stored."""
        return isinstance(self.word, Convolution | Linear | BatchNorm)


@dataclass(frozen=True)
class Block:
    """Leaves in order, under one name; without a name, they are called as functions.

    ``closes`` says that it also flattens the last maps to logits.
    """

    name: str
    leaves: tuple[Leaf, ...]
    closes: bool = False


@dataclass(frozen=True)
class Apply:
    """Apply a block; ``shape`` is the map that it gives this time."""

    block: Block
    shape: Shape


@dataclass(frozen=True)
class Keep:
    """Keep the current map under a number until its last `Add`, of ``uses``."""

    slot: int
    uses: int


@dataclass(frozen=True)
class Add:
    """Add the map that was kept under a number; ``last`` says that nothing else will."""

    slot: int
    last: bool


Step = Apply | Keep | Add


@dataclass(frozen=True)
class Plan:
    """A network as its source shows it.

    Attributes:
        blocks: those with a name, in the order of the text.
        steps: the forward pass.
        gives_maps: whether the steps end with maps of one pixel rather than with logits.
    """

    blocks: tuple[Block, ...]
    steps: tuple[Step, ...]
    gives_maps: bool


@dataclass(frozen=True)
class _Act:
    """Apply the leaf of an index; ``shapes`` are the maps before and after."""

    leaf: int
    shapes: tuple[Shape, Shape]


_Move = _Act | Keep | Add
_Place = tuple[int, int, int]  # line, position of the word, half of a separable


def make_plan(architecture: Architecture) -> Plan:
    """Lay out the source of an architecture.

    Raises:
        ShapeError: the architecture does not fit together.
    """
    architecture.check()
    moves, order = _moves(architecture)
    flat = _flat_tail(moves, [word for word, _ in order])
    leaves = _leaves(architecture, moves, order, flat)
    groups = _groups(architecture)
    starts = sorted(_starts(moves, leaves, groups))
    spans = [leaves[a:b] for a, b in pairwise([*starts, len(leaves)])]
    blocks = dict(zip(starts, _named(spans, groups), strict=True))
    closing = None if flat else _closing(moves, blocks)
    if closing is not None:
        blocks[closing] = replace(blocks[closing], closes=True)
    return Plan(
        tuple(block for block in blocks.values() if block.name),
        tuple(_steps(moves, blocks)),
        gives_maps=not flat and closing is None,
    )


def _closing(moves: list[_Move], blocks: dict[int, Block]) -> int | None:
    """Find the block that ends the forward pass, if it has a name and does nothing else."""
    last = moves[-1]
    if not isinstance(last, _Act):
        return None
    start = max(start for start in blocks if start <= last.leaf)
    times = sum(isinstance(move, _Act) and move.leaf == start for move in moves)
    return start if times == 1 and blocks[start].name else None


def _moves(architecture: Architecture) -> tuple[list[_Move], list[tuple[Word, int]]]:
    """Flatten all applications; and list the leaves (word, line) in the order of the text."""
    layers, applications = architecture.layers, architecture.applications
    uses: dict[int, int] = {}
    for index, application in enumerate(applications):
        for word in layers[application.source].words:
            if isinstance(word, Skip):
                uses[index - word.lines + 1] = uses.get(index - word.lines + 1, 0) + 1
    moves: list[_Move] = []
    order: list[tuple[Word, int]] = []
    numbers: dict[_Place, int] = {}
    left = dict(uses)
    for index, (_, source, shapes) in enumerate(applications):
        if index in uses:
            moves.append(Keep(index, uses[index]))
        for position, word in enumerate(layers[source].words):
            if isinstance(word, Skip):
                slot = index - word.lines + 1
                left[slot] -= 1
                moves.append(Add(slot, last=not left[slot]))
                continue
            for half, (part, before) in enumerate(_parts(word, shapes[position])):
                place = (source, position, half)
                if place not in numbers:
                    numbers[place] = len(order)
                    order.append((part, source))
                moves.append(_Act(numbers[place], (before, part.output(before))))
    return moves, order


def _parts(word: Word, shape: Shape) -> list[tuple[Word, Shape]]:
    """Split a word into leaves, each with the map that it reads."""
    if isinstance(word, Separable):
        depthwise = word.depthwise
        return [(depthwise, shape), (word.pointwise, depthwise.output(shape))]
    return [(word, shape)]


def _flat_tail(moves: list[_Move], words: list[Word]) -> list[int]:
    """Find the leaves that may work on (n, features): a linear one and what follows to the end."""
    applied = [move.leaf for move in moves if isinstance(move, _Act)]
    tail: list[int] = []
    for move in reversed(moves):
        if (
            not isinstance(move, _Act)
            or not isinstance(words[move.leaf], Linear | Activation | Dropout | BatchNorm)
            or applied.count(move.leaf) > 1
        ):
            break
        tail.insert(0, move.leaf)
    while tail and not isinstance(words[tail[0]], Linear):
        tail.pop(0)
    return tail


def _leaves(
    architecture: Architecture, moves: list[_Move], order: list[tuple[Word, int]], flat: list[int]
) -> list[Leaf]:
    inputs: dict[int, Shape] = {}
    outputs: dict[int, set[Shape]] = {}
    for move in moves:
        if isinstance(move, _Act):
            before, after = move.shapes
            inputs.setdefault(move.leaf, before)
            outputs.setdefault(move.leaf, set()).add(after)
    leaves = []
    for index, ((word, line), path) in enumerate(zip(order, _paths(architecture), strict=True)):
        channels, height, width = inputs[index]
        output = next(iter(outputs[index])) if len(outputs[index]) == 1 else None
        elements = channels * height * width
        form: Form = "maps"
        if index in flat:
            form = "flattens" if index == flat[0] else "flat"
        leaves.append(Leaf(word, line, path, channels, elements, output, form))
    return leaves


def _paths(architecture: Architecture) -> list[str]:
    """List the names of the trained network's modules, in the order of the text."""
    with torch.device("meta"):
        network = build(architecture)
    return [name for name, module in network.named_modules() if _is_leaf(name, module)]


def _is_leaf(name: str, module: torch.nn.Module) -> bool:
    # A line of nothing but skips is an empty Sequential; only its words would be leaves.
    return "." in name and not any(module.children())


def _groups(architecture: Architecture) -> list[str | int]:
    """Tell which part each line belongs to: ``head``, or the number of pools before it."""
    layers = architecture.layers
    last = len(layers) - 1
    head = next(
        (line for line, layer in enumerate(layers) if isinstance(layer.operation, WholeMap)), last
    )
    before = layers[head - 1].operation if head else None
    if head == last and isinstance(layers[head].operation, WholeMap):
        classifies = isinstance(before, Conv) and before.channels == architecture.classes
        plain = head and not any(isinstance(word, Skip) for word in layers[head - 1].words)
        head -= bool(classifies and plain)
    groups: list[str | int] = []
    pools = 0
    for line, layer in enumerate(layers):
        groups.append("head" if line >= head else pools)
        pools += isinstance(layer.operation, Pool)
    return groups


def _starts(moves: list[_Move], leaves: list[Leaf], groups: list[str | int]) -> set[int]:
    """Find the leaves with which blocks start."""
    lines = [leaf.line for leaf in leaves]
    within = range(1, len(lines))
    starts = {0} if leaves else set()
    starts |= {index for index in within if groups[lines[index - 1]] != groups[lines[index]]}
    before: int | None = None  # the leaf just applied, with nothing after it so far
    for move in [*moves, None]:
        leaf = move.leaf if isinstance(move, _Act) else None
        if leaf is None or before is None or leaf != before + 1:
            starts |= {index for index in (leaf, None if before is None else before + 1) if index}
        before = leaf
    for start in sorted(starts):
        if start in within and lines[start - 1] == lines[start]:
            # The rest of a line is no good beginning for a block of the lines after it.
            after = (index for index in within if index > start and lines[index] != lines[start])
            starts |= {next(after, len(lines))}
    return {start for start in starts if start < len(lines)}


def _named(spans: list[list[Leaf]], groups: list[str | int]) -> Iterator[Block]:
    """Name the blocks with weights after their stage, and their place in it if there are more."""
    homes = [groups[span[0].line] for span in spans]
    weighty = [any(leaf.has_weights for leaf in span) for span in spans]
    numbered: dict[str | int, str] = {}
    for home, named in zip(homes, weighty, strict=True):
        if named and home not in numbered:
            numbered[home] = "head" if home == "head" else f"stage{len(numbered) + 1}"
    counts = dict.fromkeys(numbered, 0)
    for span, home, named in zip(spans, homes, weighty, strict=True):
        name = ""
        if named:
            name = numbered[home]
            counts[home] += 1
            if sum(pair == (home, True) for pair in zip(homes, weighty, strict=True)) > 1:
                name += f"_{_kind(span)}{counts[home]}"
        yield Block(name, tuple(span))


def _kind(span: list[Leaf]) -> str:
    lines = {leaf.line for leaf in span if isinstance(leaf.word, Convolution)}
    if len(lines) == 1:
        return "conv"
    if not lines and any(isinstance(leaf.word, Linear) for leaf in span):
        return "linear"
    return "block" if lines else "norm"


def _steps(moves: list[_Move], blocks: dict[int, Block]) -> Iterator[Step]:
    """Replace the leaves of the flattened applications by their blocks."""
    ends = {start + len(block.leaves) - 1: block for start, block in blocks.items()}
    for move in moves:
        if not isinstance(move, _Act):
            yield move
        elif move.leaf in ends:
            yield Apply(ends[move.leaf], move.shapes[1])

"""An architecture as the modules of its source, and the moves that take a map through them.

A leaf is one module of ``torch.nn``: a word of a line, or one half of a separable convolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from space.architecture import Architecture
from space.layers.operations import Convolution, Linear, Separable
from space.layers.words import Activation, BatchNorm, Dropout, Shape, Skip, Word
from space.network import build

__all__ = ["Act", "Add", "Keep", "Leaf", "Move", "unfold"]

Form = Literal["maps", "flattens", "flat"]


@dataclass(frozen=True)
class Leaf:
    """One module.

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
class Act:
    """Apply the leaf of an index; ``shapes`` are the maps before and after."""

    leaf: int
    shapes: tuple[Shape, Shape]


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


Move = Act | Keep | Add
_Place = tuple[int, int, int]  # line, position of the word, half of a separable


def unfold(architecture: Architecture) -> tuple[list[Move], list[Leaf]]:
    """Give all moves, repetitions written out, and the leaves in the order of the text.

    Raises:
        ShapeError: the architecture does not fit together.
    """
    architecture.check()
    moves, order = _moves(architecture)
    flat = _flat_tail(moves, [word for word, _ in order])
    return moves, _leaves(architecture, moves, order, flat)


def _moves(architecture: Architecture) -> tuple[list[Move], list[tuple[Word, int]]]:
    """Give the moves; and the word and line of each leaf, in the order of the text."""
    layers, applications = architecture.layers, architecture.applications
    uses: dict[int, int] = {}
    for index, application in enumerate(applications):
        for word in layers[application.source].words:
            if isinstance(word, Skip):
                uses[index - word.lines + 1] = uses.get(index - word.lines + 1, 0) + 1
    moves: list[Move] = []
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
                moves.append(Act(numbers[place], (before, part.output(before))))
    return moves, order


def _parts(word: Word, shape: Shape) -> list[tuple[Word, Shape]]:
    """Split a word into leaves, each with the map that it reads."""
    if isinstance(word, Separable):
        depthwise = word.depthwise
        return [(depthwise, shape), (word.pointwise, depthwise.output(shape))]
    return [(word, shape)]


def _flat_tail(moves: list[Move], words: list[Word]) -> list[int]:
    """Find the leaves that may work on (n, features): a linear one and what follows to the end."""
    applied = [move.leaf for move in moves if isinstance(move, Act)]
    tail: list[int] = []
    for move in reversed(moves):
        if (
            not isinstance(move, Act)
            or not isinstance(words[move.leaf], Linear | Activation | Dropout | BatchNorm)
            or applied.count(move.leaf) > 1
        ):
            break
        tail.insert(0, move.leaf)
    while tail and not isinstance(words[tail[0]], Linear):
        tail.pop(0)
    return tail


def _leaves(
    architecture: Architecture, moves: list[Move], order: list[tuple[Word, int]], flat: list[int]
) -> list[Leaf]:
    inputs: dict[int, Shape] = {}
    outputs: dict[int, set[Shape]] = {}
    for move in moves:
        if isinstance(move, Act):
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

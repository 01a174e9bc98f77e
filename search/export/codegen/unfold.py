"""Turn an architecture into the modules of its source, and the steps that run through them.

A leaf is one module of ``torch.nn``: a word of a line, or one half of a separable convolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from space.architecture import Architecture
from space.layers.words import Shape, Word
from space.program import Add, Apply, Keep, program_of

__all__ = ["ApplyLeaf", "Leaf", "LeafStep", "unfold"]

LeafForm: TypeAlias = Literal["maps", "flattens", "flat"]


@dataclass(frozen=True)
class Leaf:
    """One module of the source.

    Attributes:
        word: what it does.
        line: index of its line in the text.
        path: its name inside the trained network; the names of its weights start with it.
        shape: the map that it reads, the first time.
        output: the map that it gives, None where repetitions give several.
        form: whether it works on maps, or on (n, features) after it ``flattens`` them or what
            comes before did. A linear leaf on maps gives maps of one pixel.
    """

    word: Word
    line: int
    path: str
    shape: Shape
    output: Shape | None
    form: LeafForm

    @property
    def has_weights(self) -> bool:
        """Return whether it has weights to store."""
        return self.word.parameters(self.shape) > 0

    @property
    def needs_module(self) -> bool:
        """Return whether it cannot be called as a function."""
        return self.has_weights or self.word.function() is None


@dataclass(frozen=True)
class ApplyLeaf:
    """The step that applies the leaf of an index; ``after`` is the map that it gives here."""

    leaf: int
    after: Shape


LeafStep: TypeAlias = ApplyLeaf | Keep | Add


def unfold(architecture: Architecture) -> tuple[list[LeafStep], list[Leaf]]:
    """List all steps, repetitions written out, and the leaves in the order of the text.

    Raises:
        ShapeError: the architecture does not fit together.
    """
    steps = program_of(architecture)
    first: dict[str, Apply] = {}
    outputs: dict[str, set[Shape]] = {}
    for step in steps:
        if isinstance(step, Apply):
            first.setdefault(step.path, step)
            outputs.setdefault(step.path, set()).add(step.after)
    numbers = {path: number for number, path in enumerate(first)}
    moves: list[LeafStep] = [
        ApplyLeaf(numbers[step.path], step.after) if isinstance(step, Apply) else step
        for step in steps
    ]
    flat = _flat_tail(moves, [step.word for step in first.values()])
    leaves: list[Leaf] = []
    for number, (path, step) in enumerate(first.items()):
        output = step.after if len(outputs[path]) == 1 else None
        form: LeafForm = "maps"
        if number in flat:
            form = "flattens" if number == flat[0] else "flat"
        leaves.append(Leaf(step.word, step.line, path, step.before, output, form))
    return moves, leaves


def _flat_tail(moves: list[LeafStep], words: list[Word]) -> list[int]:
    """Find the leaves that may work on (n, features): a linear one and what follows to the end."""
    applied = [move.leaf for move in moves if isinstance(move, ApplyLeaf)]
    tail: list[int] = []
    for move in reversed(moves):
        if (
            not isinstance(move, ApplyLeaf)
            or words[move.leaf].takes == "maps"
            or applied.count(move.leaf) > 1
        ):
            break
        tail.insert(0, move.leaf)
    while tail and words[tail[0]].takes != "features":
        tail.pop(0)
    return tail

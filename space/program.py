"""An architecture as one sequence of steps: apply a module, keep a map for a skip, add it.

Repetitions are written out. A skip becomes a pair of steps: the input of a line is kept under a
number, its slot, and added later. The network runs these steps, the cost finds in them which maps
are held at once, and the exported source is written from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from space.architecture import Architecture
from space.layers import Layer
from space.layers.words import Shape, Skip, Word

__all__ = ["Add", "Apply", "Keep", "Step", "kept_maps", "program_of"]


@dataclass(frozen=True, slots=True)
class Apply:
    """The step that applies one module to the current map.

    Attributes:
        line: index of the line whose word this is.
        position: index of the word on its line.
        word: the word, or the part of it that has a module of its own.
        path: the name of the module in the network, such as ``line1.conv``; the same module is
            applied wherever the path is the same.
        before: the map that it reads.
        after: the map that it gives.
    """

    line: int
    position: int
    word: Word
    path: str
    before: Shape
    after: Shape


@dataclass(frozen=True, slots=True)
class Keep:
    """The step that keeps the current map, the input of a line, until its last use.

    Attributes:
        line: index of the line whose input this is.
        slot: its number, which is that of the application of the line.
        shape: the map.
        uses: how often it is added.
        until: the number of the last application that adds it.
    """

    line: int
    slot: int
    shape: Shape
    uses: int
    until: int


@dataclass(frozen=True, slots=True)
class Add:
    """The step that adds a map that was kept to the current one.

    Attributes:
        line: index of the line that has the skip.
        position: index of the skip on its line.
        slot: the number of the map that was kept.
        last: whether this is its last use.
    """

    line: int
    position: int
    slot: int
    last: bool


Step: TypeAlias = Apply | Keep | Add


def program_of(architecture: Architecture) -> tuple[Step, ...]:
    """Write out all steps from an image to the last map, in order.

    Raises:
        ShapeError: the architecture does not fit together.
    """
    architecture.check()
    return tuple(_steps(architecture))


def _steps(architecture: Architecture) -> Iterator[Step]:
    layers, applications = architecture.layers, architecture.applications
    kept = kept_maps(architecture)
    left = {slot: keep.uses for slot, keep in kept.items()}
    names = [_names(line, layer) for line, layer in enumerate(layers)]
    for index, (_, line, shapes, norms) in enumerate(applications):
        if index in kept:
            yield kept[index]
        for position, word in enumerate(layers[line].words):
            if isinstance(word, Skip):
                slot = _slot(index, word)
                left[slot] -= 1
                yield Add(line, position, slot, last=not left[slot])
                continue
            shape = shapes[position]
            for part_name, part in word.parts():
                path = names[line][position] + (f".{part_name}" if part_name else "")
                if norms is not None and part.is_norm:
                    path = f"line{norms[0] + 1}.again{norms[1]}.{path.partition('.')[2]}"
                after = part.output(shape)
                yield Apply(line, position, part, path, shape, after)
                shape = after


def kept_maps(architecture: Architecture) -> dict[int, Keep]:
    """List the steps that keep a map, by slot.

    Raises:
        ShapeError: the lines do not fit together.
    """
    applications = architecture.applications
    users: dict[int, list[int]] = {}
    for index, application in enumerate(applications):
        for word in architecture.layers[application.source].words:
            if isinstance(word, Skip):
                users.setdefault(_slot(index, word), []).append(index)
    return {
        slot: Keep(
            applications[slot].source, slot, applications[slot].shapes[0], len(indices), indices[-1]
        )
        for slot, indices in users.items()
    }


def _slot(index: int, skip: Skip) -> int:
    """Return the number of the application whose input a skip adds."""
    return index - skip.lines + 1


def _names(line: int, layer: Layer) -> list[str]:
    """Return the name of the module of every word of a line; a second ``bn`` is ``bn2``."""
    taken: set[str] = set()
    names: list[str] = []
    for word in layer.words:
        name, number = word.stem, 1
        while name in taken:
            number += 1
            name = f"{word.stem}{number}"
        taken.add(name)
        names.append(f"line{line + 1}.{name}")
    return names

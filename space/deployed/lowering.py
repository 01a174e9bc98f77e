"""From an architecture to the kernels that compute it on a chip.

What becomes of a word follows from the architecture alone, never from its weights, so that the
bytes are known before anything is trained.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from space.architecture import Architecture
from space.deployed.kernels import (
    Affine,
    Deployed,
    GroupNormalise,
    Image,
    Kernel,
    Multiply,
    PoolMap,
    Sum,
    Table,
    Value,
)
from space.errors import NotDeployable
from space.layers.operations import Conv, Depthwise, Gap, Linear, Pool
from space.layers.words import (
    Activation,
    BatchNorm,
    Dropout,
    GroupNorm,
    LayerNorm,
    Shape,
    Word,
)
from space.program import Add, Apply, Keep, Step, program_of

__all__ = ["lower"]


def lower(architecture: Architecture) -> Deployed:
    """Return the kernels of a network.

    Raises:
        ShapeError: the architecture does not fit together.
        NotDeployable: a word has no kernel.
    """
    steps = program_of(architecture)
    builder = _Builder(architecture.input_shape, _foldable(steps))
    for step in steps:
        builder.add(step)
    return builder.deployed()


def _foldable(steps: Sequence[Step]) -> frozenset[str]:
    """Return the modules with weights that the same norms follow wherever they are applied."""
    followers: dict[str, set[tuple[str, ...]]] = {}
    for index, step in enumerate(steps):
        if isinstance(step, Apply) and isinstance(step.word, Conv | Depthwise | Linear):
            followers.setdefault(step.path, set()).add(tuple(_norms_behind(steps, index)))
    return frozenset(path for path, found in followers.items() if len(found) == 1)


def _norms_behind(steps: Sequence[Step], index: int) -> Iterator[str]:
    for step in steps[index + 1 :]:
        if not isinstance(step, Apply):
            return
        if isinstance(step.word, BatchNorm):
            yield step.path
        elif not isinstance(step.word, Dropout):
            return


class _Builder:
    """Takes the steps of a program and appends kernels, or extends the last one."""

    def __init__(self, shape: Shape, foldable: frozenset[str]) -> None:
        self._foldable = foldable
        self._values = [Value(shape, 0), Value(shape, 0)]
        self._buffers = 1
        self._kernels: list[Kernel] = [Image(0, 1)]
        self._current = 1
        self._kept: dict[int, int] = {}
        """The value of each slot that is still to be added."""

    def deployed(self) -> Deployed:
        return Deployed(tuple(self._values), tuple(self._kernels))

    def add(self, step: Step) -> None:
        if isinstance(step, Keep):
            self._kept[step.slot] = self._current
        elif isinstance(step, Add):
            self._sum(step)
        elif isinstance(step.word, Conv | Depthwise | Linear):
            target = self._new(step.after)
            self._append(Multiply(self._current, target, step.word, step.path))
        elif isinstance(step.word, Pool | Gap):
            self._pool(step.word, step.after)
        elif isinstance(step.word, BatchNorm):
            self._norm(step.path)
        elif isinstance(step.word, LayerNorm):
            groups = step.word.groups if isinstance(step.word, GroupNorm) else 1
            target = self._in_place()
            self._append(GroupNormalise(self._current, target, groups, step.path))
        elif isinstance(step.word, Activation):
            self._activation(step.word.name, step.path)
        elif not isinstance(step.word, Dropout):
            _refuse(step.word)

    def _sum(self, step: Add) -> None:
        other = self._kept[step.slot]
        if step.last:
            del self._kept[step.slot]
        shape = self._values[self._current].shape
        held = self._held()
        free = [value for value in (self._current, other) if self._values[value].buffer not in held]
        target = self._new(shape, self._values[free[0]].buffer if free else None)
        self._append(Sum(self._current, other, target))

    def _pool(self, word: Pool | Gap, after: Shape) -> None:
        match self._free_last(), word:
            case Multiply(pool=None) as last, Pool(kind="max", stride=None, padding=0):
                self._values[last.target] = Value(after, self._values[last.target].buffer)
                self._kernels[-1] = replace(last, pool=word)
            case _:
                self._append(PoolMap(self._current, self._new(after), word))

    def _norm(self, path: str) -> None:
        last = self._free_last()
        match last:
            case Multiply(scaled=(), rectify=False, activation=None, pool=None, relu=False) if (
                last.path in self._foldable
            ):
                self._kernels[-1] = replace(last, norms=(*last.norms, path))
            case Multiply(activation=None, pool=None, relu=True, rectify=False):
                self._kernels[-1] = replace(last, rectify=True, relu=False, scaled=(path,))
            case Multiply(activation=None, pool=None, relu=False, rectify=True):
                self._kernels[-1] = replace(last, scaled=(*last.scaled, path))
            case Affine(relu=False):
                self._kernels[-1] = replace(last, norms=(*last.norms, path))
            case _:
                self._append(Affine(self._current, self._in_place(), (path,)))

    def _activation(self, name: str, path: str) -> None:
        last = self._free_last()
        if name == "relu":
            if last is None or isinstance(last, Image | Table):
                self._append(Affine(self._current, self._in_place(), relu=True))
            else:
                self._kernels[-1] = replace(last, relu=True)
            return
        match last:
            case Multiply(scaled=(), rectify=False, activation=None, pool=None, relu=False):
                self._kernels[-1] = replace(last, activation=name, activation_path=path)
            case _:
                self._append(Table(self._current, self._in_place(), name, path))

    def _free_last(self) -> Kernel | None:
        """Return the last kernel, unless what it gives is kept as it is for a skip."""
        return None if self._current in self._kept.values() else self._kernels[-1]

    def _held(self) -> set[int]:
        """Return the buffers that hold what is still to be added."""
        return {self._values[value].buffer for value in self._kept.values()}

    def _in_place(self) -> int:
        """Return a new value of the current shape, in the same buffer where that is free."""
        current = self._values[self._current]
        return self._new(current.shape, None if current.buffer in self._held() else current.buffer)

    def _new(self, shape: Shape, buffer: int | None = None) -> int:
        if buffer is None:
            buffer = self._buffers
            self._buffers += 1
        self._values.append(Value(shape, buffer))
        return len(self._values) - 1

    def _append(self, kernel: Kernel) -> None:
        self._kernels.append(kernel)
        self._current = kernel.target


def _refuse(word: Word) -> None:
    raise NotDeployable(f'"{word}" has no kernel; give it one in space/deployed/lowering.py')

"""The bytes of flash of a deployed int8 network: its constants exactly, its code from a table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from math import prod
from typing import Any

from space.deployed.arena import Arena
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
)
from space.layers.operations import Convolution, Depthwise, Linear, Pool
from space.layers.words import Operation, Shape, elements

__all__ = [
    "CORES",
    "SMALL_ARENA",
    "code_bytes",
    "code_compiler",
    "constant_bytes",
    "function_of",
    "least_code",
    "least_deployed",
]

SMALL_ARENA = 65_535
"""The most elements of an arena whose places are numbers of 16 bits."""

CORES = ("cortex-m0", "cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33")
"""The cores whose code was measured; newer ones of the same kind run the same instructions."""

_WORD = 4
_LAYER = 2 * _WORD
"""Bytes of an entry in the table of layers: two pointers."""

_STRUCTS: Mapping[str, tuple[int, int]] = {
    "image": (20, 20),
    "convolution": (60, 64),
    "depthwise": (56, 60),
    "pool": (36, 40),
    "sum": (24, 28),
    "affine": (24, 28),
    "table": (12, 16),
    "group_norm": (32, 36),
}
"""Bytes of what each function is given, with places of 16 bits and of 32."""


def code_compiler() -> str:
    """Return the compiler and its options with which the code was measured."""
    return str(_code_table()["compiler"])


def function_of(kernel: Kernel) -> str:
    """Return the name of the function that computes a kernel."""
    match kernel:
        case Image():
            return "image"
        case Multiply():
            return "depthwise" if isinstance(kernel.word, Depthwise) else "convolution"
        case PoolMap():
            return "pool"
        case Sum():
            return "sum"
        case Affine():
            return "affine"
        case GroupNormalise():
            return "group_norm"
        case Table():
            return "table"


def least_deployed(word: Operation, shape: Shape) -> tuple[int, int]:
    """Return what an operation takes of a chip at least, wherever it stands.

    Args:
        word: the operation.
        shape: the map that it reads.

    Returns:
        Bytes of the largest map that it reads as a whole, which a pool may never see; and of flash,
        if no other layer has the same weights.
    """
    ram = flash = 0
    for _, part in word.parts():
        if isinstance(part, Convolution | Linear):
            after = part.output(shape)
            weights = part.parameters(shape) - part.bias * after[0]
            flash += _whole(weights) + 2 * _WORD * after[0]
            ram = max(ram, elements(shape))
        elif not isinstance(part, Pool) or part.kind == "avg" or part.padding or part.stride:
            ram = max(ram, elements(shape))
        shape = part.output(shape)
    return ram, flash


def constant_bytes(deployed: Deployed, arena: Arena) -> int:
    """Return the bytes of weights and tables of a network in int8.

    Args:
        deployed: the network.
        arena: its plan.
    """
    large = arena.elements > SMALL_ARENA
    total = 0
    counted: set[tuple[str, tuple[str, ...]]] = set()
    for kernel in deployed.kernels:
        total += _LAYER + _STRUCTS[function_of(kernel)][large]
        if isinstance(kernel, Multiply) and kernel.weights_key not in counted:
            counted.add(kernel.weights_key)
            total += _whole(_weights(deployed, kernel))
        total += sum(map(_whole, _arrays(deployed, kernel)))
    return total


def _weights(deployed: Deployed, kernel: Multiply) -> int:
    before = deployed.values[kernel.source].shape
    window = kernel.window(before)
    inputs = before[0] // kernel.groups(before) * prod(window.size)
    return kernel.word.output(before)[0] * inputs


def _arrays(deployed: Deployed, kernel: Kernel) -> Iterator[int]:
    """Yield the bytes of each array of constants but the weights."""
    before, after = deployed.values[kernel.source].shape, deployed.values[kernel.target].shape
    match kernel:
        case Image() | Affine() | GroupNormalise():
            yield from (_WORD * before[0],) * 2
        case Multiply():
            yield from (_WORD * after[0],) * (3 if kernel.scaled else 2)
            if kernel.activation:
                yield 256
        case PoolMap():
            if kernel.is_mean:
                yield _WORD
        case Sum():
            yield 2 * _WORD
        case Table():
            yield 256


def _whole(size: int) -> int:
    """Round up to whole words, on which arrays begin."""
    return -(-size // _WORD) * _WORD


def code_bytes(deployed: Deployed, arena: Arena, core: str) -> int:
    """Return the bytes of a network's functions, start-up and C library apart.

    Args:
        deployed: the network.
        arena: its plan.
        core: one of :data:`CORES`.
    """
    functions = frozenset(map(function_of, deployed.kernels))
    return _code_of(functions, core, arena.elements > SMALL_ARENA)


def least_code(core: str) -> int:
    """Return the least bytes of the functions of any network that has a layer with weights.

    Args:
        core: one of :data:`CORES`.
    """
    return min(
        _code_of(frozenset({"image", layer}), core, large)
        for layer in ("convolution", "depthwise")
        for large in (False, True)
    )


@cache
def _code_of(functions: frozenset[str], core: str, large: bool) -> int:
    """Return the bytes of some functions and of all that they need."""
    known = _code_table()["cores"][core]
    sizes, needs = known["functions"], known["needs"]
    parts = {"run", *functions}
    pending = list(parts)
    while pending:
        for needed in needs.get(pending.pop(), ()):
            if needed not in parts:
                parts.add(needed)
                pending.append(needed)
    return sum(int(sizes[part][large]) for part in parts)


@cache
def _code_table() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (files(__package__) / "code_bytes.json").read_text(encoding="utf-8")
    )
    return found

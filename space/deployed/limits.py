"""What the arithmetic of a deployed network in int8 cannot hold."""

from __future__ import annotations

from math import prod

from space.deployed.kernels import Deployed, GroupNormalise, Multiply, PoolMap
from space.layers.words import elements

__all__ = ["int8_problem"]

_MOST_PRODUCTS = 60_000
"""More products of int8 might not fit into 32 bits."""

_MOST_VALUES = 8_000_000
"""The same for sums of int8."""

_MOST_IN_GROUP = 65_536


def int8_problem(deployed: Deployed) -> str:
    """Say what of a network does not fit whole numbers; nothing where all does."""
    for kernel in deployed.kernels:
        before = deployed.values[kernel.source].shape
        if isinstance(kernel, Multiply):
            inputs = prod(kernel.window(before).size) * (before[0] // kernel.groups(before))
            if inputs > _MOST_PRODUCTS:
                return _too_many(f'"{kernel.word}" adds {inputs:,} products', _MOST_PRODUCTS)
        elif isinstance(kernel, PoolMap) and kernel.is_mean:
            inputs = prod(kernel.window(before).size)
            if inputs > _MOST_VALUES:
                return _too_many(f'"{kernel.word}" adds {inputs:,} values', _MOST_VALUES)
        elif isinstance(kernel, GroupNormalise):
            inputs = elements(before) // kernel.groups
            if inputs > _MOST_IN_GROUP:
                return _too_many(
                    f"the norm {kernel.path} is over {inputs:,} values", _MOST_IN_GROUP
                )
    return ""


def _too_many(what: str, most: int) -> str:
    return f"{what}, too many for the arithmetic of int8; at most {most:,} fit"

"""Networks as text: layers, architectures, their cost, their modules, search spaces.

Nothing here imports torch until ``build`` or ``Network`` is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from space.architecture import Architecture
from space.cost import Cost, cost
from space.errors import (
    LayerError,
    OutsideSpaceError,
    Problem,
    SearchSpaceError,
    ShapeError,
    SpaceError,
)
from space.layers import Layer

if TYPE_CHECKING:
    from space.network import Network, build
    from space.search_space import SearchSpace

__all__ = [
    "Architecture",
    "Cost",
    "Layer",
    "LayerError",
    "Network",
    "OutsideSpaceError",
    "Problem",
    "SearchSpace",
    "SearchSpaceError",
    "ShapeError",
    "SpaceError",
    "build",
    "cost",
]

_HOMES = {
    "Network": "space.network",
    "build": "space.network",
    "SearchSpace": "space.search_space",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__]

"""A candidate: an architecture and the recipe that trains it."""

from __future__ import annotations

from dataclasses import dataclass

from space.architecture import Architecture
from trainer.recipe import Recipe

__all__ = ["Candidate"]


@dataclass(frozen=True)
class Candidate:
    """The network that a trial trains, and how.

    Attributes:
        architecture: the network.
        recipe: how it is trained, its seed included.
    """

    architecture: Architecture
    recipe: Recipe

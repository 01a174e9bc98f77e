"""A candidate: an architecture and the recipe that trains it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from space.architecture import Architecture
from trainer.recipe import Recipe

__all__ = ["Candidate", "candidate_key"]

_DIGITS = 12


@dataclass(frozen=True)
class Candidate:
    """The network that a trial trains, and how.

    Attributes:
        architecture: the network.
        recipe: how it is trained, its seed included.
    """

    architecture: Architecture
    recipe: Recipe

    @cached_property
    def key(self) -> str:
        """A short text that is equal for equal candidates, whatever their seeds."""
        return candidate_key(str(self.architecture), self.recipe.to_dict())


def candidate_key(architecture: str, recipe: Mapping[str, Any]) -> str:
    """Return the key of a candidate, see :attr:`Candidate.key`.

    Args:
        architecture: as text; equal networks have equal texts.
        recipe: as JSON values.
    """
    without_seed = {key: value for key, value in recipe.items() if key != "seed"}
    text = json.dumps([architecture, without_seed], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]

"""Boards with a Cortex-M: what they have, and how long a network takes on them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["Board", "boards"]


@dataclass(frozen=True)
class Board:
    """A board.

    Attributes:
        name: as study files give it.
        title: of the board and its chip, for people.
        core: one of ``space.deployed.flash.CORES``.
        clock: of the core, in MHz; the highest that the source names.
        flash: in KiB.
        ram: in KiB; of several pieces the largest.
        source: where the figures are from.
    """

    name: str
    title: str
    core: str
    clock: float
    flash: float
    ram: float
    source: str

    def milliseconds(self, instructions: float) -> float:
        """Estimate how long instructions take, at one a cycle.

        Cortex-M0 to M33 take somewhat more than one cycle for an instruction, a Cortex-M7 less, and
        flash without a cache makes any of them wait.
        """
        return instructions / (self.clock * 1e3)


@cache
def boards() -> Mapping[str, Board]:
    """Return all known boards by their names."""
    text = (files(__package__) / "boards.toml").read_text(encoding="utf-8")
    return {name: Board(name, **row) for name, row in tomllib.loads(text).items()}

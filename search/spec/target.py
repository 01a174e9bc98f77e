"""What a network is to run on: the ``[target]`` section."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, ConfigDict, Strict
from pydantic import Field as Limits

from search.spec.budget import Budget
from search.spec.toml import file_value
from space.architecture import Architecture
from space.deployed.boards import Board, boards
from space.deployed.flash import CORES
from space.deployed.instructions import instructions
from space.deployed.lowering import lower
from space.errors import NotDeployable, Problem
from space.fields import did_you_mean

__all__ = ["Target"]


def _known(name: str) -> str:
    if name not in boards():
        hint = did_you_mean(name, boards())
        raise ValueError(
            f"{file_value(name)} is not a known board{hint}; give one of {', '.join(boards())}, or "
            "budget.ram_kib, budget.flash_kib and budget.core"
        )
    return name


@dataclass(frozen=True)
class Target:
    """The board, which fills what the budget does not say of a chip.

    Attributes:
        board: a name of the table of boards.
        firmware: the share of RAM and of flash that is left to everything but the network.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    board: Annotated[str, Strict(), AfterValidator(_known)]
    firmware: Annotated[float, Strict(), Limits(ge=0, lt=1)] = 0.5

    @property
    def described(self) -> Board:
        """Return what is known of the board."""
        return boards()[self.board]

    def filled(self, budget: Mapping[str, object]) -> dict[str, object]:
        """Return the keys of a budget, with those of the board for what is missing."""
        board, share = self.described, 1 - self.firmware
        of_board = {
            "ram_kib": board.ram * share,
            "flash_kib": board.flash * share,
            "core": board.core,
        }
        return {**of_board, **budget}

    def contradictions(self, budget: Mapping[str, object]) -> Iterator[Problem]:
        """Find the keys of a budget that the board cannot keep.

        Args:
            budget: as a file has it, without what the board fills in.
        """
        board = self.described
        core = budget.get("core")
        if core in CORES and core != board.core:
            yield Problem(
                "budget.core",
                f"{file_value(core)} is not the core of {self.board}, a {board.core}; remove the "
                "key, or the board",
            )
        for name, most in (("ram_kib", board.ram), ("flash_kib", board.flash)):
            limit = budget.get(name)
            if isinstance(limit, int | float) and limit > most:
                yield Problem(
                    f"budget.{name}",
                    f"{limit:,g} is more than all of {self.board}, {most:,g} KiB; give less, or "
                    "remove the key",
                )

    def note(self, budget: Budget) -> str:
        """Say what the board has, and what of it the network may take.

        Args:
            budget: the limits, those of the board filled in.
        """
        board = self.described
        return (
            f"{board.title}: {board.core} at {board.clock:g} MHz, {board.ram:,g} KiB of RAM and "
            f"{board.flash:,g} KiB of flash, of which the network may take {budget.ram_kib:,g} and "
            f"{budget.flash_kib:,g}"
        )

    def latency(self, architecture: Architecture) -> str:
        """Say how long a network takes for one image, as an estimate.

        Args:
            architecture: its lines must fit together.

        Returns:
            Instructions and milliseconds; empty for a network that the C code cannot say.
        """
        board = self.described
        try:
            count = instructions(lower(architecture), board.core)
        except NotDeployable:
            return ""
        return (
            f"about {board.milliseconds(count):,.0f} ms on {self.board}, estimated from "
            f"{count / 1e6:,.1f} million instructions"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the section as a study file has it."""
        return asdict(self)

"""What a network takes of a chip in int8, computed from its text."""

from __future__ import annotations

from dataclasses import dataclass

from space.architecture import Architecture
from space.deployed.arena import plan_arena
from space.deployed.flash import code_bytes, constant_bytes
from space.deployed.limits import int8_problem
from space.deployed.lowering import lower
from space.errors import NotDeployable

__all__ = ["COST_MODEL", "DEFAULT_CORE", "DeployedCost", "deployed_cost"]

COST_MODEL = 1
"""The version of the count. A better plan of memory gets another one, and studies keep theirs."""

DEFAULT_CORE = "cortex-m4"
"""The core whose code is counted where nobody names one."""


@dataclass(frozen=True)
class DeployedCost:
    """Bytes of a network in int8, as ``flyweight export --format c-int8`` writes it.

    Attributes:
        ram: of the arena: all maps, the image and the logits. The stack is not in it.
        constants: of flash, for weights and tables.
        code: of flash, for functions and what they need of the compiler's library. Start-up and the
            C library are not in it.
    """

    ram: int
    constants: int
    code: int

    @property
    def flash(self) -> int:
        """Return all bytes of flash."""
        return self.constants + self.code

    @property
    def ram_kib(self) -> float:
        """Return ``ram`` in KiB of 1024 bytes."""
        return self.ram / 1024

    @property
    def flash_kib(self) -> float:
        """Return ``flash`` in KiB of 1024 bytes."""
        return self.flash / 1024


def deployed_cost(architecture: Architecture, core: str = DEFAULT_CORE) -> DeployedCost:
    """Count the bytes of a network on a chip, without building it.

    Args:
        architecture: its lines must fit together.
        core: one of ``space.deployed.flash.CORES``.

    Raises:
        ShapeError: the architecture does not fit together.
        NotDeployable: a word has no kernel, or a layer is too large for int8.
    """
    deployed = lower(architecture)
    if problem := int8_problem(deployed):
        raise NotDeployable(problem)
    arena = plan_arena(deployed)
    return DeployedCost(
        arena.elements, constant_bytes(deployed, arena), code_bytes(deployed, arena, core)
    )

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings

from space.architecture import Architecture
from space.deployed.instructions import instructions
from space.deployed.kernels import GroupNormalise
from space.deployed.lowering import lower
from tests.mcu.arm import COMPILER
from tests.mcu.chip import CHIPS, EMULATOR
from tests.mcu.instructions import counted
from tests.space.strategies import architectures

pytestmark = [
    pytest.mark.mcu,
    pytest.mark.skipif(COMPILER is None, reason="there is no arm-none-eabi-gcc here"),
    pytest.mark.skipif(EMULATOR is None, reason="there is no qemu-system-arm here"),
]

_ENOUGH = 100_000
"""Below this, what is done once for each layer decides."""


@settings(max_examples=5)
@given(architectures())
def test_instructions_are_those_of_the_emulator(architecture: Architecture) -> None:
    """The instructions of a network are estimated within 12 % on a Cortex-M4.

    Norms of groups apart: how long a division and a square root take depends on the values.
    """
    deployed = lower(architecture)
    assume(not any(isinstance(kernel, GroupNormalise) for kernel in deployed.kernels))
    found = counted(architecture, CHIPS["cortex-m4"])
    assume(found > _ENOUGH)
    assert instructions(deployed, "cortex-m4") == pytest.approx(found, rel=0.12)

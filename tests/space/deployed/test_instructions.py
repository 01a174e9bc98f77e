from __future__ import annotations

import pytest
from hypothesis import given

from space.architecture import Architecture
from space.cost import cost
from space.deployed.flash import CORES
from space.deployed.instructions import instructions, work_of
from space.deployed.lowering import lower
from tests.space.strategies import architectures


@given(architectures())
def test_every_network_has_an_estimate(architecture: Architecture) -> None:
    """All that a network does has a cost on every core, and an M0 takes more than an M4."""
    deployed = lower(architecture)
    found = {core: instructions(deployed, core) for core in CORES}
    assert all(count > 0 for count in found.values())
    assert found["cortex-m0"] == pytest.approx(found["cortex-m0plus"], rel=0.05)


def test_products_are_the_multiply_accumulates() -> None:
    """Without padding, products are what MACs count."""
    architecture = Architecture.parse(
        ["conv3 8 relu", "conv3 6 groups2", "depthwise5", "maxpool2", "linear 10"], (2, 16, 16)
    )
    work = work_of(lower(architecture))
    assert work["product"] + work["depthwise product"] == cost(architecture).macs


def test_padding_is_not_multiplied() -> None:
    """Of a window, only the pixels that lie on the map are counted."""
    padded = work_of(lower(Architecture.parse(["conv3 1 pad1", "linear 10"], (1, 3, 3))))
    assert padded["product"] == 49 + 90  # 3x3 windows on 3x3 pixels: 9 + 4 * 6 + 4 * 4
    assert padded["window"] == 10

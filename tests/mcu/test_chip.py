from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from search.deployed.folding import fold
from search.deployed.integer import run_integers
from search.deployed.quantise import quantise
from search.export.c.package import write_c_int8
from space.architecture import Architecture
from tests.mcu.arm import COMPILER
from tests.mcu.chip import CHIPS, EMULATOR, Chip, run_on
from tests.search.export.c.test_sources import (
    EVERY_ACTIVATION,
    channels_last,
    network_of,
    pixels_of,
)

pytestmark = [
    pytest.mark.mcu,
    pytest.mark.skipif(COMPILER is None, reason="there is no arm-none-eabi-gcc here"),
    pytest.mark.skipif(EMULATOR is None, reason="there is no qemu-system-arm here"),
]

SMALL = Architecture.parse(
    """
    conv3 6 pad1 bn relu bn
    maxpool2
    separable5 6 pad2 bn hardswish skip
    again
    conv3 8 pad1 gn2 relu
    avgpool3 stride2 pad1
    conv1 8 groups2 ln skip
    gap
    linear 10
    """,
    (1, 16, 16),
)
"""All functions, small enough for a chip with 16 KiB of RAM."""


@pytest.mark.parametrize("chip", CHIPS.values(), ids=CHIPS)
@pytest.mark.parametrize("architecture", [SMALL, EVERY_ACTIVATION], ids=["layers", "activations"])
def test_a_chip_gives_the_same_answers(
    tmp_path: Path, chip: Chip, architecture: Architecture
) -> None:
    """An emulated chip gives the whole numbers of the reference, a common one on 100 images."""
    trained = replace(network_of(architecture), name="net")
    write_c_int8(trained, tmp_path / "net")
    images = pixels_of(architecture, 100 if chip.core in ("cortex-m0", "cortex-m4") else 10)
    folded = fold(architecture, trained.weights, trained.normalisation)
    wanted = run_integers(quantise(folded, trained.calibration_images()), images)
    found = run_on(chip, tmp_path / "net", channels_last(images))
    np.testing.assert_array_equal(found.logits, wanted.numpy())
    assert found.instructions > 0

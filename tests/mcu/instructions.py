"""Fit the instructions of the generated C: ``python -m tests.mcu.instructions``.

Writes ``space/deployed/instructions.json``, from which estimates of latency are made.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import nnls

from search.export.c.package import write_c_int8
from space.architecture import Architecture
from space.deployed.instructions import work_of
from space.deployed.lowering import lower
from tests.mcu.chip import CHIPS, Chip, run_on
from tests.mcu.tables import FOLDER, write_table
from tests.search.export.c.test_sources import channels_last, network_of, pixels_of

TABLE = FOLDER / "instructions.json"

NETWORKS = [
    Architecture.parse(f"{lines}\nlinear 10", shape)
    for lines, shape in (
        ("gap", (1, 16, 16)),
        ("gap", (5, 9, 9)),
        ("maxpool3 stride2 pad1", (3, 13, 13)),
        ("maxpool2", (8, 8, 8)),
        ("avgpool2", (8, 8, 8)),
        ("avgpool5 stride3", (2, 20, 20)),
        ("conv3 6", (1, 14, 14)),
        ("conv3 6 pad1 relu", (4, 10, 10)),
        ("conv5 5 pad2", (2, 11, 11)),
        ("conv1 12", (8, 8, 8)),
        ("conv1 2\ngap", (1, 22, 22)),
        ("conv1 1\ngap", (1, 20, 20)),
        ("conv3 1\ngap", (1, 20, 20)),
        ("conv2 3\ngap", (2, 16, 16)),
        ("conv9 2 pad4\ngap", (1, 16, 16)),
        ("conv7 3 stride2", (3, 19, 19)),
        ("conv3 8 groups4", (8, 9, 9)),
        ("conv3 8 pad2 dilation2", (4, 9, 9)),
        ("conv3 8\nmaxpool2", (3, 14, 14)),
        ("conv5 7 pad1\nmaxpool3", (1, 17, 17)),
        ("depthwise3", (6, 10, 10)),
        ("depthwise5 pad2 relu", (9, 8, 8)),
        ("depthwise7 pad3", (3, 15, 15)),
        ("depthwise3 pad1\nmaxpool2", (12, 8, 8)),
        ("separable3 16 pad1 relu", (6, 10, 10)),
        ("conv1 8 silu", (4, 10, 10)),
        ("depthwise3 gelu", (8, 9, 9)),
        ("silu", (4, 9, 9)),
        ("maxpool2\ntanh", (4, 12, 12)),
        ("relu bn", (5, 11, 11)),
        ("conv1 8 bn skip", (8, 9, 9)),
        ("conv3 8 pad1 skip relu", (8, 9, 9)),
        ("ln", (6, 8, 8)),
        ("gn2", (8, 7, 7)),
        ("gn4 relu", (4, 12, 12)),
        ("linear 24 relu", (3, 8, 8)),
        ("linear 40", (1, 20, 20)),
        ("conv3 4 pad1 relu\nmaxpool2\nconv3 8 pad1 relu\nconv3 8\ngap", (1, 20, 20)),
        ("conv5 4 relu\nmaxpool2\nseparable3 12 relu\nseparable3 16 relu\ngap", (1, 24, 24)),
    )
]
"""Every function at several sizes; each fits a chip with 16 KiB of RAM."""

_IMAGES = 3


def main() -> None:
    """Count on all cores, fit, and write the table."""
    torch.manual_seed(0)
    work = [work_of(lower(network)) for network in NETWORKS]
    kinds = sorted({kind for each in work for kind in each})
    table = np.array([[each.get(kind, 0) for kind in kinds] for each in work], dtype=float)
    cores = {}
    for core, chip in CHIPS.items():
        found = np.array([counted(network, chip) for network in NETWORKS])
        # Divided by what was counted, so that the error of each network weighs alike.
        costs, _ = nnls(table / found[:, None], np.ones(len(found)))
        error = table @ costs / found - 1
        print(f"{core}: off by {abs(error).mean():.1%} on average, at most {abs(error).max():.1%}")
        cores[core] = {kind: round(float(of), 2) for kind, of in zip(kinds, costs, strict=True)}
    about = "instructions for each thing that the functions in int8 do"
    write_table(TABLE, about, "tests.mcu.instructions", cores)


def counted(architecture: Architecture, chip: Chip) -> float:
    """Return the instructions of one inference as the emulator counts them."""
    with tempfile.TemporaryDirectory() as out:
        folder = Path(out) / "net"
        write_c_int8(replace(network_of(architecture), name="net"), folder)
        return run_on(chip, folder, channels_last(pixels_of(architecture, _IMAGES))).instructions


if __name__ == "__main__":
    main()

"""Run generated C on emulated chips."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from tests.mcu.arm import COMPILER, run

__all__ = ["CHIPS", "EMULATOR", "Chip", "Result", "run_on"]

EMULATOR = shutil.which("qemu-system-arm")
"""Debian's package qemu-system-arm; None where it is not installed."""

_BOARD = Path(__file__).with_name("board")


@dataclass(frozen=True)
class Chip:
    """A chip that QEMU emulates.

    Attributes:
        machine: its name there.
        core: for the compiler.
        flash: where flash begins, and its bytes.
        ram: where RAM begins, and its bytes.
        ticks: nanoseconds of a tick of the system timer.
    """

    machine: str
    core: str
    flash: tuple[int, int]
    ram: tuple[int, int]
    ticks: float


CHIPS: Mapping[str, Chip] = MappingProxyType(
    {
        chip.core: chip
        for chip in (
            Chip("microbit", "cortex-m0", (0x0, 256 << 10), (0x20000000, 16 << 10), 62.5),
            Chip("microbit", "cortex-m0plus", (0x0, 256 << 10), (0x20000000, 16 << 10), 62.5),
            Chip("mps2-an385", "cortex-m3", (0x0, 4 << 20), (0x20000000, 4 << 20), 40.0),
            Chip("mps2-an386", "cortex-m4", (0x0, 4 << 20), (0x20000000, 4 << 20), 40.0),
            Chip("mps2-an500", "cortex-m7", (0x0, 4 << 20), (0x20000000, 4 << 20), 40.0),
            Chip("mps2-an505", "cortex-m33", (0x10000000, 4 << 20), (0x38000000, 4 << 20), 50.0),
        )
    }
)
"""By their core."""


@dataclass(frozen=True)
class Result:
    """What a chip gave.

    Attributes:
        logits: (images, classes).
        instructions: of one inference, as the emulator counts them, to some hundred.
    """

    logits: np.ndarray
    instructions: float


def run_on(chip: Chip, folder: Path, images: np.ndarray) -> Result:
    """Compile an export whose functions begin with ``net_``, and run it on images.

    Args:
        chip: one of :data:`CHIPS`.
        folder: with ``net.h`` and ``net.c``.
        images: uint8 (n, height, width, channels).
    """
    rows = images.reshape(len(images), -1)
    values = ",\n".join("{" + ",".join(map(str, row)) + "}" for row in rows.tolist())
    (folder / "images.h").write_text(
        f"#define IMAGES {len(rows)}\n#define IMAGE_BYTES {rows.shape[1]}\n"
        f"static const uint8_t images[IMAGES][IMAGE_BYTES] = {{\n{values}\n}};\n"
    )
    memory = (
        f"MEMORY {{ flash (rx) : ORIGIN = {chip.flash[0]:#x}, LENGTH = {chip.flash[1]}\n"
        f"ram (rwx) : ORIGIN = {chip.ram[0]:#x}, LENGTH = {chip.ram[1]} }}\n"
    )
    script = folder / "link.ld"
    script.write_text(memory + (_BOARD / "link.ld").read_text())
    image = folder / f"{chip.core}.elf"
    flags = ["-Os", "-mthumb", "-std=c99", f"-mcpu={chip.core}", "-nostartfiles", "-nostdlib"]
    sources = [_BOARD / "start.c", _BOARD / "main.c", folder / "net.c"]
    include = [f"-I{folder}", "-ffreestanding", f"-T{script}", "-Wl,--gc-sections"]
    run([str(COMPILER), *flags, *include, *sources, "-o", image, "-lgcc"])
    command = [str(EMULATOR), "-machine", chip.machine, "-nographic", "-monitor", "none"]
    command += ["-serial", "none", "-semihosting-config", "enable=on,target=native"]
    command += ["-icount", "shift=0", "-kernel", str(image)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    lines = (done.stdout + done.stderr).splitlines()
    assert len(lines) == len(rows), f"the chip said: {lines[-3:]}"
    found = np.array([line.split() for line in lines], dtype=int)
    assert (found[:, 1] == found[:, 2:].argmax(1)).all()
    return Result(found[:, 2:], float(found[:, 0].mean() * chip.ticks))

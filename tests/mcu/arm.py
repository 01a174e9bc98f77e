"""The compiler for Cortex-M and its tools."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

__all__ = [
    "COMPILER",
    "called",
    "compile_object",
    "compiler_version",
    "link",
    "linked_members",
    "run",
    "sections",
    "symbols",
]

COMPILER = shutil.which("arm-none-eabi-gcc")
"""Debian's package gcc-arm-none-eabi; None where it is not installed."""

_FLAGS = ("-Os", "-mthumb", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")


def run(command: Sequence[str | Path]) -> str:
    """Run a tool and return what it prints.

    Raises:
        RuntimeError: it failed; with its message.
    """
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout


def compiler_version() -> str:
    """Return the version, such as ``12.2.1``."""
    return run([str(COMPILER), "-dumpfullversion"]).strip()


def compile_object(source: Path, core: str) -> Path:
    """Compile a source for a core and return the object, which lies beside it."""
    target = source.with_suffix(f".{core}.o")
    run([str(COMPILER), *_FLAGS, f"-mcpu={core}", "-c", source, "-o", target])
    return target


def link(sources: Sequence[Path], core: str) -> Path:
    """Compile and link sources without start-up and C library; return the image."""
    target = sources[0].with_suffix(f".{core}.elf")
    entry = ("-nostartfiles", "-nostdlib", "-Wl,--gc-sections", "-Wl,-e,_start")
    flags = ("-Os", "-mthumb", "-std=c99", f"-mcpu={core}")
    run([str(COMPILER), *flags, *entry, *sources, "-o", target, "-lgcc"])
    return target


def sections(compiled: Path) -> dict[str, int]:
    """Return the bytes of each section of an object or an image."""
    lines = run(["arm-none-eabi-size", "-A", compiled]).splitlines()
    return {line.split()[0]: int(line.split()[1]) for line in lines if line.startswith(".")}


def symbols(compiled: Path) -> dict[str, int]:
    """Return the bytes of each function and constant of an object."""
    found = {}
    for line in run(["arm-none-eabi-nm", "-S", compiled]).splitlines():
        if match := re.fullmatch(r"\S+ (\S+) [trTRbBdD] (\S+)", line):
            found[match[2]] = int(match[1], 16)
    return found


def called(compiled: Path) -> set[str]:
    """Return the names that an object refers to, its own ones too.

    A table of symbols would also have what the compiler only might have called.
    """
    text = run(["arm-none-eabi-objdump", "-r", compiled])
    return set(re.findall(r"^[0-9a-f]+ R_ARM_\S+ +(\w+)", text, re.MULTILINE))


def linked_members(symbol: str, core: str, folder: Path) -> dict[str, int]:
    """Return the parts of the compiler's library that a symbol brings, with their bytes."""
    (folder / "empty.c").write_text("typedef int nothing;\n")
    compiled = compile_object(folder / "empty.c", core)
    table = folder / "linked.map"
    run(
        [
            *(str(COMPILER), f"-mcpu={core}", "-mthumb", "-nostdlib", f"-Wl,-e,{symbol}"),
            *(f"-Wl,-u,{symbol}", f"-Wl,-Map={table}", "-Wl,--gc-sections"),
            *(compiled, "-o", folder / "linked.elf", "-lgcc"),
        ]
    )
    members: dict[str, int] = {}
    text = table.read_text().partition("Linker script and memory map")[2]
    pattern = r"^ \.(?:text|rodata)\S*\s+0x\w+\s+0x(\w+) \S*libgcc\.a\((\S+)\)$"
    for match in re.finditer(pattern, text, re.MULTILINE):
        members[match[2]] = members.get(match[2], 0) + int(match[1], 16)
    return {name: size for name, size in members.items() if size}

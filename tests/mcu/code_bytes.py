"""Measure the code of the generated C: ``python -m tests.mcu.code_bytes``.

Writes ``space/deployed/code_bytes.json``, from which ``[budget] flash_kib`` counts.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from search.deployed.folding import fold
from search.deployed.quantise import quantise
from search.export.c.int8 import NEEDS, int8_program
from search.export.c.source import Program, function_text, header_text, source_text
from space.architecture import Architecture
from space.deployed.flash import CORES
from space.network import build
from tests.mcu.arm import called, compile_object, linked_members, symbols
from tests.mcu.tables import FOLDER, write_table
from trainer.data import Normalisation

TABLE = FOLDER / "code_bytes.json"

_LINES = {
    "convolution": "conv3 4",
    "depthwise": "depthwise3 bias",
    "pool": "maxpool2",
    "sum": "conv1 1 skip",
    "affine": "relu",
    "group_norm": "ln",
    "table": "silu",
}
"""For each function a line that brings it."""


_HELPERS = {"stored": "stored", "window": "span_of", "windows": "run_windows"}
"""What functions use, with the name of its function."""


def main() -> None:
    """Measure all functions on all cores, and write the table."""
    with tempfile.TemporaryDirectory() as folder:
        cores = {core: measured(core, Path(folder)) for core in CORES}
    about = "bytes of each function in int8, with places of 16 and of 32 bits"
    write_table(TABLE, about, "tests.mcu.code_bytes", cores)


def measured(core: str, folder: Path) -> dict[str, Any]:
    """Return the bytes of each function on a core, and what each needs beside itself."""
    sizes: dict[str, list[int]] = {}
    needs: dict[str, list[str]] = {}
    for line in _LINES.values():
        program = program_of([line, "linear 10"])
        for large in (False, True):
            of_it = functions_of(program, core, folder, large=large)
            for name, size in of_it.items():
                pair = sizes.setdefault(name, [0, 0])
                # A word less of "run" where the logits lie at the beginning of the arena.
                assert name == "run" or pair[large] in (0, size), f"{name}: {pair} and {size}"
                pair[large] = max(size, pair[large])
    for name in (*_LINES, "image", *_HELPERS):
        library = library_of(name, core, folder)
        needs[name] = sorted({*NEEDS.get(name, ()), *library})
        sizes |= {member: [size, size] for member, size in library.items()}
    return {
        "functions": dict(sorted(sizes.items())),
        "needs": {name: needed for name, needed in sorted(needs.items()) if needed},
    }


def program_of(lines: Iterable[str]) -> Program:
    """Return what the source of a small network is written from."""
    architecture = Architecture.parse(list(lines), (1, 8, 8))
    weights = build(architecture).state_dict()
    folded = fold(architecture, weights, Normalisation((0.5,), (0.5,)))
    return int8_program(quantise(folded, torch.zeros(2, 1, 8, 8, dtype=torch.uint8)))


def functions_of(program: Program, core: str, folder: Path, *, large: bool) -> dict[str, int]:
    """Return the bytes of the functions of a network by the names of the table."""
    compiled = compile_object(written(program, folder, large=large), core)
    found = symbols(compiled)
    sizes = {}
    for name in (*_LINES, "image", *_HELPERS):
        # Small functions of a file may have become part of others.
        defined = re.findall(
            r"^static [\w ]+ \*?(\w+)\(", function_text("int8", name), re.MULTILINE
        )
        if size := sum(_whole(found.get(symbol, 0)) for symbol in defined):
            sizes[name] = size
    parts = ("net_run", "net_image", "net_logits", "run_layers", "greatest_of")
    sizes["run"] = sum(found[part] for part in parts)
    return {name: _whole(size) for name, size in sizes.items()}


def _whole(size: int) -> int:
    """Round up to whole words, as the linker may have to."""
    return -(-size // 4) * 4


def needed_by(function: str) -> list[str]:
    """Return what a function uses, what that uses first."""
    found: list[str] = []
    for needed in NEEDS.get(function, ()):
        found += [*needed_by(needed), needed]
    return list(dict.fromkeys(found))


def library_of(function: str, core: str, folder: Path) -> dict[str, int]:
    """Return the parts of the compiler's library that a function needs itself."""
    text = "#include <stddef.h>\n#include <stdint.h>\n#define APART\n"
    text += "typedef uint16_t place;\ntypedef int8_t element;\n"
    for needed in needed_by(function):
        source_of = function_text("int8", needed)
        end = source_of.index(")\n{", source_of.index("static APART"))
        text += source_of[:end].replace("static APART", "extern") + ");\n"
    body = function_text("int8", function).replace("static APART", "")
    entry = f"extern const void *used_{function};\nconst void *used_{function} = (const void *)"
    symbol = _HELPERS.get(function, f"run_{function}")
    source = folder / f"{function}_alone.c"
    source.write_text(f"{text}{body}{entry}(uintptr_t){symbol};\n")
    compiled = compile_object(source, core)
    members: dict[str, int] = {}
    for name in sorted(called(compiled)):
        if name.startswith("__aeabi_"):
            members |= linked_members(name, core, folder)
    return members


def written(program: Program, folder: Path, *, large: bool) -> Path:
    """Write a source, with places of 32 bits where asked; return its path."""
    text = source_text(program, "net", ["measured"])
    if large:
        text = text.replace("typedef uint16_t place;", "typedef uint32_t place;")
    (folder / "net.h").write_text(header_text(program, "net", ["measured"]))
    source = folder / "net.c"
    source.write_text(text)
    return source


if __name__ == "__main__":
    main()

"""Write a network as C source: a header, a source, an example, and a page for firmware people."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from search.deployed.folding import FoldedNetwork
from search.deployed.quantise import quantise
from search.errors import ExportError
from search.export.c.float32 import float_program
from search.export.c.int8 import int8_program
from search.export.c.source import Program, header_text, name_of, source_text
from search.export.description import C_FORMAT, C_INT8_FORMAT, description_text
from search.export.folder import is_of_kind, whole_folder, write_texts
from search.export.model_card import accuracy_lines, as_markdown, card_of, layer_lines, table_lines
from search.export.trained_network import TrainedNetwork
from search.spec.candidate_files import DESCRIPTION
from space.cost import cost
from space.deployed.cost import deployed_cost
from space.deployed.flash import CORES, code_compiler
from space.deployed.instructions import instructions
from space.deployed.kernels import Multiply
from space.deployed.lowering import lower
from space.layers.operations import Linear
from space.layers.words import elements, format_shape

__all__ = ["write_c", "write_c_int8"]

_MOST = 65_535


def write_c(trained: TrainedNetwork, out: Path) -> None:
    """Write a network as C that computes in floats.

    Args:
        trained: the network.
        out: the folder. Missing parents are made.

    Raises:
        ExportError: the network does not fit together with its weights or classes, or it cannot be
            said in C; something else is in the folder's place; or it cannot be written.
    """
    program = float_program(_folded(trained))
    _write(trained, program, out, C_FORMAT)


def write_c_int8(trained: TrainedNetwork, out: Path) -> None:
    """Write a network as C that computes in whole numbers of 8 bits.

    Args:
        trained: the network, with images to calibrate by.
        out: the folder. Missing parents are made.

    Raises:
        ExportError: as for :func:`write_c`; or there are no images to calibrate by.
    """
    folded = _folded(trained)
    program = int8_program(quantise(folded, trained.calibration_images()))
    _write(trained, program, out, C_INT8_FORMAT)


def _folded(trained: TrainedNetwork) -> FoldedNetwork:
    folded = trained.folded()
    for kernel in folded.deployed.kernels:
        shape = folded.deployed.values[kernel.source].shape
        is_linear = isinstance(kernel, Multiply) and isinstance(kernel.word, Linear)
        if (elements(shape) if is_linear else max(shape)) > _MOST:
            raise ExportError(
                f"a map of {format_shape(shape)} is too large for C, whose numbers have 16 bits"
                + (" for the inputs of a linear layer" if is_linear else "")
            )
    return folded


def _write(trained: TrainedNetwork, program: Program, out: Path, kind: str) -> None:
    name = name_of(trained.name)
    about = _about(trained, kind)
    texts = {
        f"{name}.h": header_text(program, name, about),
        f"{name}.c": source_text(program, name, about),
        "main.c": _example(name),
        "README.md": _readme(trained, program, name, kind),
    }
    written = sorted([*texts, DESCRIPTION])
    texts[DESCRIPTION] = description_text(trained, kind, prefix=name, files=written)

    with whole_folder(out, texts, is_of_kind(C_FORMAT, C_INT8_FORMAT)) as folder:
        write_texts(folder, texts)


def _about(trained: TrainedNetwork, kind: str) -> list[str]:
    number = "whole numbers of 8 bits" if kind == C_INT8_FORMAT else "floats"
    parameters = cost(trained.architecture).parameters
    return [
        f"{trained.name}: a network of {parameters:,} parameters in {number},",
        f"for {trained.dataset}.",
        "Written by flyweight. Standard C99 without heap; README.md tells more.",
    ]


def _example(name: str) -> str:
    text = (files(__package__) / "common" / "main.c.txt").read_text(encoding="utf-8")
    return text.replace("NETWORK", name.upper()).replace("network", name)


def _readme(trained: TrainedNetwork, program: Program, name: str, kind: str) -> str:
    sections = [
        [f"# {as_markdown(trained.name)}"],
        list(_what(trained, program, kind)),
        ["## Use"],
        list(_use(program, name, kind)),
        ["## Memory"],
        list(_memory(trained, program, kind)),
        ["## Accuracy"],
        list(_accuracy(trained, kind)),
        ["## Classes"],
        [", ".join(map(as_markdown, trained.class_names))],
        ["## Layers"],
        layer_lines(trained),
    ]
    return card_of(sections)


def _what(trained: TrainedNetwork, program: Program, kind: str) -> Iterator[str]:
    price = cost(trained.architecture)
    yield (
        f"A convolutional network of {price.parameters:,} parameters and {price.macs:,} "
        f"multiply-accumulates for {as_markdown(trained.dataset)},"
    )
    yield (
        "as C99 that computes in whole numbers of 8 bits: no heap, no library, no floats."
        if kind == C_INT8_FORMAT
        else "as C99 that computes in floats: no heap, and of the library `math.h` alone."
    )


def _use(program: Program, name: str, kind: str) -> Iterator[str]:
    upper = name.upper()
    channels, height, width = program.shape
    pixel = "a byte of 0 (black) to 255" if kind == C_INT8_FORMAT else "a float of 0 (black) to 1"
    yield "```c"
    yield "#include <string.h>"
    yield f'#include "{name}.h"'
    yield ""
    yield f"/* {height} rows of {width} pixels{_by_channel(channels)} */"
    yield f"memcpy({name}_image(), pixels, {upper}_HEIGHT * {upper}_WIDTH * {upper}_CHANNELS"
    yield "       * sizeof *pixels);"
    yield f"int found = {name}_run(); /* 0 to {upper}_CLASSES - 1 */"
    yield "```"
    yield ""
    yield f"Compile `{name}.c` with the rest of the firmware; the constants stay in flash."
    yield f"A pixel is {pixel}; the normalisation is inside the network."
    yield f"`{name}_logits()` returns the logits of the last run."
    yield "Images and logits lie in the one piece of memory that all maps share. So an image must"
    yield "be written again before each run, and no run may begin while another one is going on."
    yield ""
    yield f"`main.c` reads images from standard input: `cc -O2 main.c {name}.c -lm -o ../{name}`."
    if kind == C_INT8_FORMAT:
        yield ""
        yield "The source shifts negative numbers to the right and expects that they stay negative,"
        yield "as GCC, Clang, IAR and Arm's compilers do it."


def _by_channel(channels: int) -> str:
    return "" if channels == 1 else f", the {channels} channels of a pixel side by side"


def _accuracy(trained: TrainedNetwork, kind: str) -> Iterator[str]:
    yield from accuracy_lines(trained.figures)
    if kind == C_INT8_FORMAT and trained.figures.int8_accuracy is None:
        yield ""
        yield "These are figures of the network in floats. What it loses in int8 was not measured."


def _memory(trained: TrainedNetwork, program: Program, kind: str) -> Iterator[str]:
    size = 1 if kind == C_INT8_FORMAT else 4
    rows = [("RAM: the arena, image and logits included", f"{program.arena * size:,} bytes")]
    if kind == C_INT8_FORMAT:
        found = {core: deployed_cost(trained.architecture, core) for core in CORES}
        first = next(iter(found.values()))
        rows.append(("flash: weights and tables", f"{first.constants:,} bytes"))
        rows += [(f"flash: code for {core}", f"{of.code:,} bytes") for core, of in found.items()]
    yield from table_lines(("memory", "bytes"), rows)
    if kind == C_INT8_FORMAT:
        lowered = lower(trained.architecture)
        counts = [(core, f"{instructions(lowered, core) / 1e6:,.2f} million") for core in CORES]
        yield ""
        yield from table_lines(("core", "instructions for one image, an estimate"), counts)
    if kind == C_INT8_FORMAT:
        yield ""
        yield f"The code was measured with {code_compiler()}, with what it needs of the compiler's"
        yield "library; start-up code and the stack come on top."

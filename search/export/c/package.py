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
from search.export.c.preprocessing import preprocessing_lines
from search.export.c.source import Program, header_text, name_of, source_text
from search.export.card_head import NOTICE
from search.export.description import C_FORMAT, C_INT8_FORMAT, description_text
from search.export.example_image import image_lines
from search.export.folder import is_of_kind, whole_folder, write_texts
from search.export.model_card import Page, model_card
from search.export.trained_network import TrainedNetwork
from search.spec.candidate_files import DESCRIPTION
from space.cost import cost
from space.deployed.kernels import Multiply
from space.layers.operations import Linear
from space.layers.words import elements, format_shape

__all__ = ["write_c", "write_c_int8"]

_MOST = 65_535
_FLOAT = 4


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
    folded = _folded(trained.for_int8())
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
        "README.md": model_card(trained, _page(trained, program, name, kind)),
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
        NOTICE,
    ]


def _example(name: str) -> str:
    text = (files(__package__) / "common" / "main.c.txt").read_text(encoding="utf-8")
    return text.replace("NETWORK", name.upper()).replace("network", name)


def _page(trained: TrainedNetwork, program: Program, name: str, kind: str) -> Page:
    int8 = kind == C_INT8_FORMAT
    what = (
        "C99 that computes in whole numbers of 8 bits, without heap, library and floats"
        if int8
        else "C99 that computes in floats, without heap, and of the library with `math.h` alone"
    )
    weights = sum({id(array): len(array.values) for array in program.arrays}.values())
    memory = (
        ("RAM in floats: all maps, image and logits", f"{program.arena * _FLOAT:,} bytes"),
        ("flash in floats: weights, without tables and code", f"{weights * _FLOAT:,} bytes"),
    )
    return Page(
        what,
        list(_use(trained, program, name, int8=int8)),
        tags=("c", "int8") if int8 else ("c",),
        int8=int8,
        memory=() if int8 else memory,
    )


def _use(trained: TrainedNetwork, program: Program, name: str, *, int8: bool) -> Iterator[str]:
    upper = name.upper()
    channels, height, width = program.shape
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
    yield "The normalisation is inside the network."
    yield f"`{name}_logits()` returns the logits of the last run, in the order of the"
    yield "[classes](#classes)."
    if int8:
        yield f"A logit `q` stands for `{upper}_LOGITS_SCALE * (q - {upper}_LOGITS_ZERO)`."
    yield "Images and logits lie in the one piece of memory that all maps share. So an image must"
    yield "be written again before each run, and no run may begin while another one is going on."
    yield ""
    yield from _example_lines(trained, name, int8=int8)
    if int8:
        yield ""
        yield "The source shifts negative numbers to the right and expects that they stay negative,"
        yield "as GCC, Clang, IAR and Arm's compilers do it."
    yield ""
    yield "### The image"
    yield ""
    yield from preprocessing_lines(program.shape, trained.reading, name, int8=int8)


def _example_lines(trained: TrainedNetwork, name: str, *, int8: bool) -> Iterator[str]:
    """Yield how the example is compiled, and how a file of images for it is made."""
    library, kind = ("", "bytes") if int8 else (" -lm", "floats")
    pixels = "(image * 255).round().byte()" if int8 else "image"
    yield "`main.c` reads images from standard input, one after another, and prints the class and"
    yield f"the logits of each. An image is a row of {kind}, in the order that is said"
    yield "[below](#the-image). In Python, with PyTorch, this writes one as the study read it:"
    yield ""
    yield "```python"
    yield from image_lines(trained.dataset, trained.architecture.input_shape, trained.reading)
    yield ""
    yield f'{pixels}.permute(1, 2, 0).contiguous().numpy().tofile("../image.bin")'
    yield "```"
    yield ""
    yield "For this machine, and without `main.c` for a Cortex-M0+:"
    yield ""
    yield "```sh"
    yield f"cc -O2 main.c {name}.c{library} -o ../{name}_main"
    yield f"../{name}_main < ../image.bin"
    yield f"arm-none-eabi-gcc -mcpu=cortex-m0plus -mthumb -Os -c {name}.c -o ../{name}.o"
    yield "```"


def _by_channel(channels: int) -> str:
    return "" if channels == 1 else f", the {channels} channels of a pixel side by side"

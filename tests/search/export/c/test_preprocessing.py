from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from search.export.formats import write_formats
from space.architecture import Architecture
from tests.search.export.c.compiled import COMPILERS, needs_compiler
from tests.search.export.c.test_sources import network_of
from trainer.data import Reading
from trainer.data.folder import read_image

_MAIN = """
#include <stdio.h>
{function}
int main(void)
{{
    static uint8_t picture[7 * 9 * 3];
    if (fread(picture, 1, sizeof picture, stdin) == 0) {{
        return 1;
    }}
    {name}_take_{kind}(picture);
    fwrite({name}_image(), sizeof *{name}_image(), 7 * 9 * {channels}, stdout);
    return 0;
}}
"""


@needs_compiler
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("format_", ["c", "c-int8"])
@pytest.mark.parametrize(("channels", "mode", "kind"), [(1, "RGB", "colour"), (3, "L", "grey")])
def test_the_readmes_function_reads_as_the_study_did(
    tmp_path: Path, channels: int, mode: str, kind: str, format_: str, compiler: str
) -> None:
    """What the README's C makes of a picture is what the study makes of it as a file."""
    architecture = Architecture.parse(["conv3 2", "gap"], (channels, 7, 9))
    write_formats(network_of(architecture), tmp_path / "net", [format_])
    *_, function = (tmp_path / "net" / "README.md").read_text().split("```c\n")
    text = _MAIN.format(
        function=function.split("```")[0], name="shapes_8k", kind=kind, channels=channels
    )
    (tmp_path / "net" / "main.c").write_text(text)
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    command = [compiler, *flags, "main.c", "shapes_8k.c", "-lm", "-o", "program"]
    done = subprocess.run(command, cwd=tmp_path / "net", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    size = (7, 9) if mode == "L" else (7, 9, 3)
    pixels = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    wanted, _ = read_image(tmp_path / "picture.png", architecture.input_shape, Reading())
    program = [tmp_path / "net" / "program"]
    made = subprocess.run(program, input=pixels.tobytes(), capture_output=True, check=True).stdout
    found = np.frombuffer(made, np.uint8 if format_ == "c-int8" else np.float32)
    bytes_found = found if format_ == "c-int8" else found * 255
    expected = np.asarray(wanted).transpose(1, 2, 0).ravel()
    np.testing.assert_allclose(bytes_found, expected, rtol=1e-6)


@pytest.mark.parametrize("format_", ["c", "c-int8"])
def test_what_the_study_did_with_other_files_is_said(tmp_path: Path, format_: str) -> None:
    """Sizes and grey values that were changed before training are told to whoever writes C."""
    trained = network_of(Architecture.parse(["conv3 2", "gap"], (2, 7, 9)))
    reading = Reading(resized=True, scale=(16.0, 4095.0))
    write_formats(replace(trained, reading=reading), tmp_path / "net", [format_])
    page = (tmp_path / "net" / "README.md").read_text()
    assert "`(value - 16) * 255 / (4095 - 16)`" in page
    assert "The study stretched its files to 9 x 7" in page
    assert "`(y * 9 + x) * 2 + channel`" in page
    assert "_take_" not in page


def test_the_bytes_of_weights_in_floats_are_those_of_the_source(tmp_path: Path) -> None:
    """What the page of C in floats says of flash is four bytes for each number of its arrays."""
    architecture = Architecture.parse(["conv3 4 bn relu", "again", "gap", "linear 3"], (4, 9, 9))
    write_formats(network_of(architecture), tmp_path / "net", ["c"])
    source = (tmp_path / "net" / "shapes_8k.c").read_text()
    numbers = sum(map(int, re.findall(r"^static const float \w+\[(\d+)\]", source, re.M)))
    page = (tmp_path / "net" / "README.md").read_text()
    assert f"| flash in floats: weights, without tables and code | {4 * numbers:,} bytes |" in page

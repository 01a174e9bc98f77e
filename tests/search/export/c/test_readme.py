from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from search.deployed.floating import run_floats
from search.deployed.integer import run_integers
from search.deployed.quantise import quantise
from search.export.formats import write_formats
from space.architecture import Architecture
from tests.search.export.c.compiled import COMPILERS, needs_compiler
from tests.search.export.c.test_sources import network_of
from trainer.data import Reading
from trainer.data.folder import read_image

_ARM = "arm-none-eabi-gcc"
_PRINTS_VALUES = """
#include "shapes_8k.h"
#include <stdio.h>
int main(void)
{
    if (fread(shapes_8k_image(), 1, 7 * 9 * 3, stdin) == 0) {
        return 1;
    }
    shapes_8k_run();
    for (int each = 0; each < SHAPES_8K_CLASSES; ++each) {
        const int q = shapes_8k_logits()[each];
        printf("%.9g\\n", SHAPES_8K_LOGITS_SCALE * (q - SHAPES_8K_LOGITS_ZERO));
    }
    return 0;
}
"""


@needs_compiler
@pytest.mark.parametrize("format_", ["c", "c-int8"])
def test_the_readme_leads_from_a_picture_to_its_logits(
    tmp_path: Path, format_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Python and the commands of the page, as they stand, give the logits of a picture."""
    architecture = Architecture.parse(["conv3 4 bn relu", "gap", "linear 3"], (3, 7, 9))
    trained = replace(network_of(architecture), dataset="folder:shapes")
    folder = tmp_path / "net"
    write_formats(trained, folder, [format_])
    page = (folder / "README.md").read_text(encoding="utf-8")
    (python,) = re.findall(r"```python\n(.*?)```", page, re.S)
    (shell,) = re.findall(r"```sh\n(.*?)```", page, re.S)
    pixels = np.random.default_rng(0).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "some.png")
    monkeypatch.chdir(folder)
    exec(python, {})
    here, run, chip = shell.splitlines()
    for line in (
        here.replace("cc ", f"{COMPILERS[0]} ", 1),
        *([chip] if shutil.which(_ARM) else []),
    ):
        subprocess.run(line.split(), check=True)
    program, image = run.split(" < ")
    given = Path(image).read_bytes()
    printed = subprocess.run([program], input=given, capture_output=True, check=True).stdout
    found = np.array(printed.split()[1:], dtype=float)

    read, _ = read_image(Path("some.png"), architecture.input_shape, Reading())
    images = torch.as_tensor(np.array(read))[None]
    if format_ == "c":
        wanted = run_floats(trained.folded(), images / 255.0).numpy()[0]
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
        return
    network = quantise(trained.folded(), trained.calibration_images())
    wanted = run_integers(network, images).numpy()[0]
    np.testing.assert_array_equal(found, wanted)


@needs_compiler
def test_the_header_says_what_a_logit_stands_for(tmp_path: Path) -> None:
    """Scale and zero of the header make of the logits in C the values that they have in Python."""
    architecture = Architecture.parse(["conv3 4 bn relu", "gap", "linear 3"], (3, 7, 9))
    trained = network_of(architecture)
    write_formats(trained, tmp_path / "net", ["c-int8"])
    (tmp_path / "net" / "main.c").write_text(_PRINTS_VALUES)
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    command = [COMPILERS[0], *flags, "main.c", "shapes_8k.c", "-o", "program"]
    subprocess.run(command, cwd=tmp_path / "net", check=True)
    image = torch.randint(0, 256, (1, 3, 7, 9), dtype=torch.uint8)
    given = image[0].permute(1, 2, 0).contiguous().numpy().tobytes()
    program = [tmp_path / "net" / "program"]
    printed = subprocess.run(program, input=given, capture_output=True, check=True).stdout
    network = quantise(trained.folded(), trained.calibration_images())
    scaling = network.scalings[network.deployed.logits]
    wanted = scaling.value(run_integers(network, image)).numpy()[0]
    np.testing.assert_allclose(np.array(printed.split(), dtype=float), wanted, rtol=1e-6)

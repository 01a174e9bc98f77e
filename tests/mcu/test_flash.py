from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.export.c.package import write_c_int8
from space.architecture import Architecture
from space.deployed.cost import deployed_cost
from space.deployed.flash import CORES
from tests.mcu import code_bytes
from tests.mcu.arm import COMPILER, compile_object, compiler_version, link, sections
from tests.search.export.c.test_sources import network_of
from tests.space.strategies import BLOCKS, architectures

MEASURED_WITH = json.loads(code_bytes.TABLE.read_text())["compiler"]

pytestmark = [
    pytest.mark.mcu,
    pytest.mark.skipif(COMPILER is None, reason="there is no arm-none-eabi-gcc here"),
    pytest.mark.skipif(
        COMPILER is not None and f" {compiler_version()} " not in MEASURED_WITH,
        reason=f"the table was measured with {MEASURED_WITH}",
    ),
]

CALLER = """
#include "net.h"
int main(void) { *net_image() = 1; return net_run() + net_logits()[0]; }
void _start(void) { main(); for (;;) {} }
"""


def check(architecture: Architecture, folder: Path, cores: Sequence[str] = CORES) -> None:
    """Compare what is counted with what is compiled and linked."""
    write_c_int8(replace(network_of(architecture), name="net"), folder)
    (folder / "caller.c").write_text(CALLER)
    for core in cores:
        counted = deployed_cost(architecture, core)
        alone = sections(compile_object(folder / "net.c", core))
        assert alone[".rodata"] == counted.constants
        assert alone[".bss"] == counted.ram
        linked = sections(link([folder / "net.c", folder / "caller.c"], core))
        total = linked[".text"] + linked[".rodata"]
        caller = 80  # main, start and what lies between functions
        assert counted.flash - 24 <= total <= counted.flash + caller, core
        assert abs(total - counted.flash) <= max(caller, 0.03 * total), core


@settings(max_examples=10)
@given(architectures(), st.sampled_from(CORES))
def test_bytes_are_those_of_the_linked_image(
    tmp_path_factory: pytest.TempPathFactory, architecture: Architecture, core: str
) -> None:
    """Arena and constants are counted to the byte, and code to a few bytes."""
    check(architecture, tmp_path_factory.mktemp("c") / "net", [core])


def test_bytes_of_long_skips(tmp_path: Path) -> None:
    """The same holds for blocks with long skips that are applied again."""
    check(BLOCKS, tmp_path / "net")


def test_places_of_32_bits(tmp_path: Path) -> None:
    """The same holds for an arena that places of 16 bits cannot say."""
    check(Architecture.parse(["conv3 99 relu", "gap", "linear 10"], (3, 28, 28)), tmp_path / "net")


def test_the_table_is_up_to_date(tmp_path: Path) -> None:
    """The committed table is what this compiler makes."""
    kept = json.loads(code_bytes.TABLE.read_text())
    assert kept["cores"] == {core: code_bytes.measured(core, tmp_path) for core in CORES}

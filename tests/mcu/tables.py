"""Write what was measured of the generated C, where the packages read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tests.mcu.arm import compiler_version

__all__ = ["FOLDER", "write_table"]

FOLDER = Path(__file__).parents[2] / "space" / "deployed"
"""Of the tables."""


def write_table(path: Path, about: str, module: str, cores: Mapping[str, object]) -> None:
    """Write a table with how it was made.

    Args:
        path: of the file.
        about: what its numbers are.
        module: that measured them.
        cores: the numbers, by core.
    """
    table = {
        "about": about,
        "command": f"python -m {module}",
        "compiler": f"arm-none-eabi-gcc {compiler_version()} -Os -mthumb",
        "cores": cores,
    }
    path.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")

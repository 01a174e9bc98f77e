from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.search.small_studies import ROOT

# What stands in one line may import what stands in the lines above it, and itself.
LAYERS = (
    ("errors", "text", "statistics"),
    ("strategies",),
    ("spec", "storage"),
    ("study",),
    ("workers",),
    ("run", "confirm", "ladder"),
    ("export", "dashboard"),
    ("status", "validate", "worker"),
    ("cli",),
)


def _part_of(path: Path) -> str:
    """The folder, or the module at top level, of a file of ``search``."""
    return path.relative_to(ROOT / "search").with_suffix("").parts[0]


LEVELS = {part: level for level, parts in enumerate(LAYERS) for part in parts}
MODULES = sorted(path for path in (ROOT / "search").rglob("*.py") if _part_of(path) in LEVELS)


def _imports(path: Path) -> Iterator[str]:
    """The modules of ``search`` that a module imports, wherever in its text."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("search."):
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.startswith("search."))


def test_every_part_has_a_level() -> None:
    """A new folder or module of ``search`` is given its place among the others."""
    found = {_part_of(path) for path in (ROOT / "search").rglob("*.py")} - {"__init__"}
    assert found == LEVELS.keys()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    """A module imports from its own folder and from lower levels, never from its neighbours."""
    part = _part_of(path)
    for module in _imports(path):
        other = module.split(".")[1]
        assert other == part or LEVELS[other] < LEVELS[part], f"{path} imports {module}"

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

WALK = """
import importlib, pkgutil
package = importlib.import_module({name!r})
for module in pkgutil.walk_packages(package.__path__, {name!r} + "."):
    if module.name not in {without!r}:
        importlib.import_module(module.name)
"""


def imported_by(code: str) -> set[str]:
    """The names of all top-level modules that a fresh process has after running ``code``."""
    program = f"{code}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(("package", "neighbour"), [("space", "trainer"), ("trainer", "space")])
def test_neither_package_knows_its_neighbours(package: str, neighbour: str) -> None:
    """Importing all of space or of trainer must bring no other package of ours, nor Optuna."""
    modules = imported_by(WALK.format(name=package, without=()))
    assert package in modules
    assert modules.isdisjoint({neighbour, "search", "optuna", "optuna_dashboard"})


def test_space_works_without_torch() -> None:
    """Only building a network may need torch."""
    assert "torch" not in imported_by("import space")
    assert "torch" not in imported_by(WALK.format(name="space", without=("space.network",)))


def test_trainer_reads_no_more_than_it_needs() -> None:
    """Importing the trainer must cost no torch, training nothing that only reads data."""
    assert imported_by("import trainer").isdisjoint({"torch", "sklearn", "torchvision"})
    code = "import trainer.loop, trainer.data"
    assert imported_by(code).isdisjoint({"sklearn", "torchvision", "pandas", "matplotlib"})


@pytest.mark.parametrize("package", ["space", "trainer", "search"])
def test_the_packages_are_ours(package: str) -> None:
    """Their names are common: no distribution of the same name may have taken their place."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert [Path(place).parent for place in spec.submodule_search_locations or []] == [ROOT]

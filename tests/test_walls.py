from __future__ import annotations

import ast
import importlib.util
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

FLOORS = {
    "search": (
        ("errors", "text", "statistics"),
        ("text_files", "pictures"),
        ("pages",),
        ("strategies",),
        ("storage", "spec"),
        ("study",),
        ("workers",),
        ("data",),
        ("deployed",),
        ("run", "calibrate", "confirm", "ladder", "export", "studies", "replay"),
        ("explain",),
        ("status", "validate", "worker", "predict", "show", "init", "schema"),
        ("report", "compare"),
        ("dashboard",),
        ("cli",),
        ("__init__",),
    ),
    "space": (
        ("errors",),
        ("fields",),
        ("layers",),
        ("architecture",),
        ("program",),
        ("cost", "ghost_norm"),
        ("network", "deployed", "summary"),
        ("lower_bound",),
        ("stages", "template"),
        ("search_space",),
        ("__init__",),
    ),
    "trainer": (
        ("errors",),
        ("ranges", "runtime", "randomness", "words", "user_cache", "weights"),
        ("data", "augment", "optim", "native"),
        ("recipe",),
        ("batches", "backends"),
        ("metrics",),
        ("clean_statistics",),
        ("loop",),
        ("__init__",),
    ),
}
"""The rooms of each package (a sub-package, or a module beside them), the lowest floor first.

A room may import from the floors below its own, and from no other room of its floor.
"""

BESIDE = {("search", "export", "confirm"), ("search", "export", "ladder")}
"""Rooms that may import from a room of their own floor: package, importer, imported."""

PACKAGES = (("space", "trainer"), ("search",), ("flyweight",))
"""The packages, by the same rule."""

MOST_MODULES = 14
"""More in one folder are hard to find one's way in."""

NAMES = [name for floor in PACKAGES for name in floor]


@dataclass(frozen=True)
class Arrow:
    """One import of one of our modules by another, wherever in its file it stands."""

    importer: str
    imported: str
    place: str

    def __str__(self) -> str:
        return f"{self.place}: {self.importer} imports {self.imported}"


@cache
def modules() -> dict[str, Path]:
    """Return the files of all modules of our packages by the modules' names."""
    files = {}
    for package in NAMES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return files


@cache
def arrows() -> tuple[Arrow, ...]:
    """Return every import among our modules, also those in functions and for type checkers."""
    found = (
        Arrow(name, target, f"{path.relative_to(ROOT)}:{line}")
        for name, path in modules().items()
        for imported, line in _imports(name, path)
        if (target := _module_of(imported)) is not None
    )
    return tuple(dict.fromkeys(found))


def _imports(name: str, path: Path) -> Iterator[tuple[str, int]]:
    """Yield the full name of everything that a module imports, and the line."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = resolve_name("." * node.level + (node.module or ""), package)
            yield from ((f"{source}.{alias.name}", node.lineno) for alias in node.names)


def _module_of(imported: str) -> str | None:
    """Return our module that has this name or holds it, None where it is not ours."""
    while imported and imported not in modules():
        imported = imported.rpartition(".")[0]
    return imported or None


def _room(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


def _refused(arrow: Arrow) -> bool:
    """Return whether an import within one package leads to another room that is not lower."""
    package = arrow.importer.partition(".")[0]
    floors = {room: i for i, floor in enumerate(FLOORS[package]) for room in floor}
    here, there = _room(arrow.importer), _room(arrow.imported)
    if here == there or (package, here, there) in BESIDE or not {here, there} <= floors.keys():
        return False
    return floors[there] >= floors[here]


def _within(package: str) -> list[Arrow]:
    """Return the imports of a package's modules by its other modules."""
    return [
        arrow
        for arrow in arrows()
        if arrow.importer.partition(".")[0] == arrow.imported.partition(".")[0] == package
    ]


@pytest.mark.parametrize("package", FLOORS)
def test_every_room_has_its_floor(package: str) -> None:
    """The table of floors names the rooms that are there and no others."""
    rooms = {_room(name) for name in modules() if name.partition(".")[0] == package}
    planned = {room for floor in FLOORS[package] for room in floor}
    new, gone = sorted(rooms - planned), sorted(planned - rooms)
    assert not new, f"write into FLOORS[{package!r}]: {', '.join(new)}"
    assert not gone, f"take out of FLOORS[{package!r}]: {', '.join(gone)}"


@pytest.mark.parametrize("package", FLOORS)
def test_imports_run_downwards(package: str) -> None:
    """No room of a package imports from a room of a higher floor, nor from one beside it."""
    wrong = [str(arrow) for arrow in _within(package) if _refused(arrow)]
    assert not wrong, "\n".join(["these imports do not lead downwards:", *wrong])


def test_packages_import_downwards() -> None:
    """``space`` and ``trainer`` know none of our packages, ``search`` those two."""
    floors = {name: i for i, floor in enumerate(PACKAGES) for name in floor}
    wrong = [
        str(arrow)
        for arrow in arrows()
        for here, there in [(arrow.importer.partition(".")[0], arrow.imported.partition(".")[0])]
        if here != there and floors[there] >= floors[here]
    ]
    assert not wrong, "\n".join(["these imports lead through a wall:", *wrong])


@pytest.mark.parametrize("package", NAMES)
def test_no_modules_import_each_other(package: str) -> None:
    """No chain of imports within a package leads back to the module that it began with."""
    graph: dict[str, dict[str, Arrow]] = defaultdict(dict)
    for arrow in _within(package):
        if arrow.importer != arrow.imported:
            graph[arrow.importer].setdefault(arrow.imported, arrow)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        # Each module of the circle is imported by the one that follows it.
        circle = [str(graph[after][before]) for before, after in pairwise(error.args[1])]
        pytest.fail("\n".join(["these modules import each other:", *reversed(circle)]))


def _folders() -> list[Path]:
    return [path.parent for path in modules().values() if path.name == "__init__.py"]


@pytest.mark.parametrize("folder", _folders(), ids=lambda path: str(path.relative_to(ROOT)))
def test_folders_are_small_and_say_what_they_are(folder: Path) -> None:
    """A sub-package says in one line what it holds, and no folder holds many modules."""
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text()))
    assert text
    assert folder.parent == ROOT or len(text.splitlines()) == 1
    assert len([path for path in folder.glob("*.py") if path.stem[:2] != "__"]) <= MOST_MODULES


IMPORT_EACH_FIRST = """
import importlib, os, sys, traceback
absent = set()
for name in {others!r}:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        absent.add(error.name.partition(".")[0])  # of an extra that is not installed
ours = {ours!r}
assert not sys.modules.keys() & {{name for room in ours for name in room}}
failed = False
for room in ours:
    if (child := os.fork()) == 0:
        try:
            for name in room:
                try:
                    importlib.import_module(name)
                except ModuleNotFoundError as error:
                    if error.name.partition(".")[0] not in absent:
                        raise
        except BaseException:
            print(room[0], "or a module beside it cannot be imported first", file=sys.stderr)
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    failed |= status != 0
sys.exit(failed)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_every_room_can_be_imported_first() -> None:
    """No room depends on another of ours having been imported before it."""
    others = {
        imported.rpartition(".")[0] or imported
        for name, path in modules().items()
        for imported, _ in _imports(name, path)
        if _module_of(imported) is None
    }
    rooms = defaultdict(list)
    for name in modules():
        if not name.endswith(".__main__"):
            rooms[name.partition(".")[0], _room(name)].append(name)
    ours = list(rooms.values())
    # The process that forks has all that is not ours, which takes the longest, and none of ours.
    program = IMPORT_EACH_FIRST.format(others=sorted(others), ours=ours)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr


WALK = """
import importlib, pkgutil
package = importlib.import_module({name!r})
for module in pkgutil.walk_packages(package.__path__, {name!r} + "."):
    if module.name not in {without!r}:
        importlib.import_module(module.name)
"""


def imported_by(code: str) -> set[str]:
    """Return the top-level modules that a fresh process has imported after running ``code``."""
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
    assert modules.isdisjoint({neighbour, "search", "flyweight", "optuna", "optuna_dashboard"})


def test_space_works_without_torch() -> None:
    """Only building a network may need torch."""
    assert "torch" not in imported_by("import space")
    assert "torch" not in imported_by(
        WALK.format(name="space", without=("space.network", "space.ghost_norm"))
    )


def test_trainer_reads_no_more_than_it_needs() -> None:
    """Importing the trainer must cost no torch, training nothing that only reads data."""
    assert imported_by("import trainer").isdisjoint({"torch", "sklearn", "torchvision"})
    code = "import trainer.loop, trainer.data"
    assert imported_by(code).isdisjoint({"sklearn", "torchvision", "pandas", "matplotlib"})


@pytest.mark.parametrize("package", NAMES)
def test_the_packages_are_ours(package: str) -> None:
    """Their names are common: no distribution of the same name may have taken their place."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert [Path(place).parent for place in spec.submodule_search_locations or []] == [ROOT]

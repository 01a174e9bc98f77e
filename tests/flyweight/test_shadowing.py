from __future__ import annotations

import shutil
import subprocess
import tomllib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from tests.flyweight.fresh import ROOT, python


def _module(folder: Path, name: str) -> Path:
    path = folder / f"{name}.py"
    path.write_text("raise RuntimeError('the wrong module was imported')\n")
    return path


def _package(folder: Path, name: str) -> Path:
    path = folder / name
    path.mkdir()
    (path / "__init__.py").write_text("raise RuntimeError('the wrong module was imported')\n")
    return path


def _script(folder: Path, *paths: Path) -> subprocess.CompletedProcess[str]:
    """Run what pip installs as ``flyweight``: a script that imports the entry point."""
    path = folder / "bin" / "flyweight"
    path.parent.mkdir()
    path.write_text("import sys\nfrom flyweight.__main__ import main\nsys.exit(main())\n")
    return python(str(path), "--version", paths=paths)


def _as_module(_folder: Path, *paths: Path) -> subprocess.CompletedProcess[str]:
    return python("-m", "flyweight", "--version", paths=paths)


@pytest.mark.parametrize("make", [_module, _package])
@pytest.mark.parametrize("start", [_script, _as_module])
@pytest.mark.parametrize("name", ["search", "space", "trainer"])
def test_the_command_names_what_is_in_the_way(
    tmp_path: Path,
    name: str,
    start: Callable[..., subprocess.CompletedProcess[str]],
    make: Callable[[Path, str], Path],
) -> None:
    """Where a package is shadowed the command says which and by what, in one line, and exits 2."""
    place = make(tmp_path.resolve(), name)
    done = start(tmp_path, tmp_path, ROOT)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"flyweight: Python finds the package {name!r} at {place}, not ")
    assert "rename or move that one" in line


def test_the_import_names_what_is_in_the_way(tmp_path: Path) -> None:
    """``import flyweight`` fails with that line, before anything of the wrong package runs."""
    place = _package(tmp_path.resolve(), "space")
    done = python("-c", "import flyweight", paths=(tmp_path, ROOT))
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert f"Python finds the package 'space' at {place}, not " in last
    assert "wrong module" not in done.stderr


def test_a_package_that_comes_later_is_named_when_a_name_is_used(tmp_path: Path) -> None:
    """A wrong package that the process imports after flyweight is named at the first use."""
    _package(tmp_path, "space")
    code = f"import flyweight, sys; sys.path.insert(0, {str(tmp_path)!r}); flyweight.cost"
    done = python("-c", code)
    assert done.returncode == 1
    assert "Python finds the package 'space'" in done.stderr.splitlines()[-1]


def test_a_package_that_was_written_over_is_named(tmp_path: Path) -> None:
    """A distribution that wrote its own files over a package's is told from a broken import."""
    for name in ("flyweight", "space", "trainer"):
        shutil.copytree(ROOT / name, tmp_path / name)
    search = tmp_path.resolve() / "search"
    search.mkdir()
    (search / "__init__.py").write_text("")
    done = python("-S", "-m", "flyweight", paths=(tmp_path,))
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"flyweight: the package 'search' in {search} does not belong to ")
    assert "install flyweight again" in line


def test_a_package_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Where one of the packages is missing altogether the command says which."""
    for name in ("flyweight", "search", "trainer"):
        shutil.copytree(ROOT / name, tmp_path / name)
    done = python("-S", "-m", "flyweight", paths=(tmp_path,))
    assert (done.returncode, done.stdout) == (2, "")
    missing = (
        f"flyweight: the package {tmp_path.resolve() / 'space'} is missing; install flyweight again"
    )
    assert done.stderr.splitlines() == [missing]


def test_a_folder_of_no_package_is_not_in_the_way(tmp_path: Path) -> None:
    """A folder ``search`` without an ``__init__.py``, such as one of results, does no harm."""
    (tmp_path / "search").mkdir()
    done = _as_module(tmp_path, tmp_path, ROOT)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_installed_command_is_this_one() -> None:
    """The entry point in pyproject.toml leads to the function that looks first."""
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    module, _, function = scripts["flyweight"].partition(":")
    assert module == "flyweight.__main__"
    assert callable(getattr(import_module(module), function))

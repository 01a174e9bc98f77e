from __future__ import annotations

import ast
import re
import textwrap
from pathlib import Path

import pytest

import flyweight
from tests.flyweight.fresh import ROOT, modules_after

THIRD_PARTY = {"torch", "torchvision", "optuna", "pandas", "sqlalchemy", "typer", "pydantic"}


def test_importing_costs_next_to_nothing() -> None:
    """A fresh process that imports flyweight has loaded nothing else, not even our packages."""
    modules = modules_after("import flyweight; dir(flyweight)")
    assert "flyweight" in modules
    assert modules.isdisjoint(THIRD_PARTY | {"search", "space", "trainer"})


def test_a_network_is_described_without_torch() -> None:
    """What needs no torch loads none through this package either."""
    modules = modules_after("import flyweight; flyweight.cost(flyweight.Architecture.parse('gap'))")
    assert "space" in modules
    assert modules.isdisjoint(THIRD_PARTY)


@pytest.mark.parametrize("name", flyweight.__all__)
def test_every_name_is_there(name: str) -> None:
    """Every public name leads to the object of that name, or to the version."""
    value = getattr(flyweight, name)
    assert getattr(value, "__name__", name) == name
    assert getattr(flyweight, name) is value


def test_what_is_not_public_is_not_there() -> None:
    """A name that is not public is refused with an AttributeError, as of any module."""
    with pytest.raises(AttributeError, match="module 'flyweight' has no attribute 'StudyFile'"):
        _ = flyweight.StudyFile


def test_the_commands_are_functions() -> None:
    """Each command of the command line is a function of the same name."""
    from search.cli.app import app

    commands = {
        command.callback.__name__ for command in app.registered_commands if command.callback
    }
    assert commands <= set(flyweight.__all__)


def test_every_error_is_public() -> None:
    """Each error that ``search``, ``space`` and ``trainer`` hand on is handed on once more."""
    import search
    import space
    import trainer

    errors = {
        name
        for package in (search, space, trainer)
        for name in package.__all__
        if isinstance(value := getattr(package, name), type) and issubclass(value, Exception)
    }
    assert errors <= set(flyweight.__all__)


@pytest.mark.parametrize("package", ["flyweight", "search", "space", "trainer"])
def test_lazy_names_are_listed_once_and_the_same(package: str) -> None:
    """What type checkers see, what is loaded when used, and ``__all__`` are the same names."""
    tree = ast.parse((ROOT / package / "__init__.py").read_text())
    eager = _imported(tree.body)
    (checked,) = [node.body for node in tree.body if isinstance(node, ast.If) and _typing(node)]
    late = _imported(checked)
    module = __import__(package)
    assert late == module._HOMES
    public = set(module.__all__)
    assert late.keys() <= public <= late.keys() | eager.keys()
    assert dir(module) == sorted(public)


def _typing(node: ast.If) -> bool:
    return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _imported(body: list[ast.stmt]) -> dict[str, str | None]:
    """Return the names that statements import from modules, with the modules."""
    return {
        alias.name: node.module
        for node in body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_the_example_of_the_docstring_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the docstring shows of the parts works as it stands."""
    *_, example = re.findall(r"::\n\n((?:    .*\n|\n)+)", flyweight.__doc__ or "")
    monkeypatch.chdir(tmp_path)
    exec(compile(textwrap.dedent(example), "flyweight", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "1432"
    assert [line.split()[0] for line in printed[1:]] == ["0", "1", "2"]

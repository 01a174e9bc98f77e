from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search.errors import ExportError
from search.export import checks, package
from search.export.checks import check_loaded_again, images_to_check
from search.export.codegen.layers import weight_names
from search.export.package import (
    PACKAGE_FORMAT,
    class_name_of,
    distribution_of,
    package_name_of,
    write_package,
)
from space.architecture import Architecture
from space.cost import cost
from space.network import build
from tests.search.export.apart import run_without_flyweight
from tests.search.trained_networks import HOSTILE, TRIAL, trained_network
from tests.space.strategies import architectures
from trainer.batches import normalise
from trainer.recipe import Recipe

ROOT = Path(__file__).parents[3]
FILES = {
    *("__init__.py", "network.py", "weights.safetensors", "architecture.json"),
    *("README.md", "pyproject.toml"),
}


def contents(folder: Path) -> dict[str, bytes]:
    """Read all files of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_package_works_without_flyweight(tmp_path: Path) -> None:
    """In a fresh process the card's snippet runs, and load() gives the trained network's logits.

    Its names are as hostile as they can be, and nothing of flyweight can be imported.
    """
    names = tuple(HOSTILE[:3])
    trained = trained_network(name=HOSTILE[2], dataset=HOSTILE[0], class_names=names)
    write_package(trained, tmp_path / "shapes")
    snippet = (tmp_path / "shapes" / "README.md").read_text().split("```")[1]
    images = torch.rand(5, 2, 10, 10)
    torch.save(images, tmp_path / "images.pt")
    script = f"""
sys.path.insert(0, {str(tmp_path)!r})
{snippet.removeprefix("python")}
images = torch.load({str(tmp_path / "images.pt")!r})
network = shapes.load("cpu")
assert not network.training and type(network).__name__ in shapes.__all__
with torch.inference_mode():
    torch.save(network(images), {str(tmp_path / "logits.pt")!r})
assert all(parameter.requires_grad for parameter in network.parameters())
import json
print(json.dumps(shapes.CLASSES))
assert "optuna" not in sys.modules
"""
    classes = json.loads(run_without_flyweight(script, tmp_path).splitlines()[-1])
    assert tuple(classes) == names
    network = build(trained.architecture)
    network.load_state_dict(trained.weights)
    with torch.inference_mode():
        wanted = network.eval()(normalise(images, trained.normalisation))
    torch.testing.assert_close(torch.load(tmp_path / "logits.pt"), wanted)


def test_pip_installs_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pip installs the folder with its weights; a fresh Python loads it from there.

    What pip leaves in the folder is no reason to refuse a later export.
    """
    pytest.importorskip("setuptools", reason="setuptools is not installed, which builds the folder")
    pytest.importorskip("pip", reason="pip is not installed")
    folder, place = tmp_path / "Shapes_8k_", tmp_path / "installed"
    trained = trained_network(name=HOSTILE[2])
    write_package(trained, folder)
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--target", place]
    command = [sys.executable, "-m", "pip", "install", *options, folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (folder / "build").is_dir()
    write_package(trained, folder)
    assert set(contents(folder)) == FILES
    shutil.rmtree(folder)
    installed = {path.name for path in (place / folder.name).iterdir()} - {"__pycache__"}
    assert installed == FILES - {"pyproject.toml"}
    (metadata,) = place.glob("*.dist-info/METADATA")
    assert metadata.parent.name == "shapes_8k-1.0.dist-info"
    assert "Requires-Dist: torch" in metadata.read_text()
    monkeypatch.setattr(checks, "subprocess", subprocess)
    assert "the same logits on 1,000 random images" in check_loaded_again(
        trained, place / folder.name
    )


@given(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True))
def test_every_package_has_a_name_for_pip(name: str) -> None:
    """What pip calls a package begins and ends as pip demands, whatever its folder is called."""
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", distribution_of(name))


def test_what_the_package_needs_is_what_flyweight_needs(tmp_path: Path) -> None:
    """The versions in a package's project file are those with which flyweight is tested."""
    write_package(trained_network(name=HOSTILE[2]), tmp_path / "shapes")
    ours, its = (
        tomllib.loads(path.read_text())["project"]
        for path in (ROOT / "pyproject.toml", tmp_path / "shapes" / "pyproject.toml")
    )
    assert set(its["dependencies"]) < set(ours["dependencies"])
    assert its["requires-python"] == ours["requires-python"]


@settings(max_examples=20)
@given(architectures(), st.sampled_from(HOSTILE))
def test_every_architecture_can_be_written(
    tmp_path_factory: pytest.TempPathFactory, architecture: Architecture, name: str
) -> None:
    """A package of any architecture and any name holds its six files and describes itself."""
    folder = tmp_path_factory.mktemp("exports")
    trained = trained_network(architecture, name=name, dataset=name, figures=TRIAL)
    write_package(trained, folder / "small")
    assert [path.name for path in folder.iterdir()] == ["small"]
    assert set(contents(folder / "small")) == FILES
    described: dict[str, Any] = json.loads((folder / "small" / "architecture.json").read_text())
    assert described["format"] == PACKAGE_FORMAT
    assert Architecture.from_json(described["architecture"]) == architecture
    assert Recipe.from_dict(described["recipe"]) == trained.recipe
    assert described["cost"]["parameters"] == cost(architecture).parameters
    assert described["name"] == described["dataset"] == name
    for file in ("__init__.py", "network.py"):
        source = (folder / "small" / file).read_text()
        compile(source, file, "exec")
        assert not name.strip() or name not in source


@pytest.mark.parametrize("seed", range(5))
def test_a_norm_that_enlarges_rounding(tmp_path: Path, seed: int) -> None:
    """A network whose logits are the rounding of a norm is written as any other."""
    torch.manual_seed(seed)
    lines = ["separable1 2 relu bn", "gn2", "gap", "conv1 2"]
    write_package(trained_network(Architecture.parse(lines)), tmp_path / "small")
    assert set(contents(tmp_path / "small")) == FILES


def test_package_is_replaced(tmp_path: Path) -> None:
    """An export over an older one replaces it, its bytecode too, and leaves nothing beside it."""
    out = tmp_path / "made" / "on the way" / "shapes"
    write_package(trained_network(), out)
    (out / "__pycache__").mkdir()
    before = (out / "network.py").read_bytes()
    write_package(trained_network(Architecture.parse(["conv3 4 relu", "gap", "linear 2"])), out)
    assert set(contents(out)) == FILES
    assert (out / "network.py").read_bytes() != before
    assert [path.name for path in out.parent.iterdir()] == ["shapes"]


def test_writing_leaves_the_random_numbers_alone(tmp_path: Path) -> None:
    """An export does not move the caller's random numbers, nor leave modules behind."""
    trained = trained_network()
    state, modules = torch.get_rng_state(), set(sys.modules)
    write_package(trained, tmp_path / "shapes")
    assert torch.equal(torch.get_rng_state(), state)
    assert not {name for name in set(sys.modules) - modules if name.startswith("_flyweight")}


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("mnist-8k", "mnist_8k"),
        ("8k", "net_8k"),
        ("class", "net_class"),
        ("torch", "net_torch"),
        ("json", "net_json"),
        ("Größe", "gr_e"),
        ("..", None),
        ("a b\n", "a_b"),
        ("__", None),
    ],
)
def test_names_that_cannot_be_imported(tmp_path: Path, name: str, better: str | None) -> None:
    """A folder that Python could not import is refused, with a name that it can."""
    if better is None:
        assert package_name_of(name) == "net"
        return
    with pytest.raises(ExportError, match=f"'{better}'"):
        write_package(trained_network(), tmp_path / name)
    assert not list(tmp_path.iterdir())
    write_package(trained_network(), tmp_path / package_name_of(name))


@given(st.text() | st.sampled_from(HOSTILE))
def test_names_made_of_any_text(text: str) -> None:
    """Any text gives a name for a class and one for a package that Python takes."""
    assert class_name_of(text).isidentifier()
    assert class_name_of(text).isascii()
    assert package_name_of(text).isidentifier()


def test_class_names() -> None:
    """A class is called after its study."""
    names = ["mnist-8k", "small-net", "8k", "", "tensor", "none"]
    assert [class_name_of(name) for name in names] == [
        "Mnist8kNet",
        "SmallNet",
        "Net8kNet",
        "Net",
        "TensorNet",
        "NoneNet",
    ]


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    """Folders, files and links that no export wrote are refused and left as they are."""
    trained = trained_network()
    write_package(trained, tmp_path / "ours")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "architecture.json").write_text('{"format": "other"}')
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "architecture.json").write_text("{")
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "ours")
    before = sorted(tmp_path.rglob("*"))
    for name, reason in [
        ("file", "is a file"),
        ("folder", "is not an exported network"),
        ("broken", "is not an exported network"),
        ("empty", "is not an exported network"),
        ("link", "is a link"),
    ]:
        with pytest.raises(ExportError, match=reason):
            write_package(trained, tmp_path / name)
    (tmp_path / "ours" / "notes.txt").write_text("mine")
    with pytest.raises(ExportError, match=r"has 'notes\.txt'"):
        write_package(trained, tmp_path / "ours")
    (tmp_path / "ours" / "notes.txt").unlink()
    assert sorted(tmp_path.rglob("*")) == before


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    """A parent that is a file, a name too long, a folder without permission: one clear error."""
    (tmp_path / "file").write_text("mine")
    (tmp_path / "locked").mkdir(mode=0o500)
    places = [tmp_path / "file" / "shapes", tmp_path / ("a" * 300)]
    if os.geteuid():
        places.append(tmp_path / "locked" / "shapes")
    for place in places:
        with pytest.raises(ExportError, match="cannot be written"):
            write_package(trained_network(), place)
    assert {path.name for path in tmp_path.rglob("*")} == {"file", "locked"}


def test_failure_keeps_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the written network is not the trained one, the older export stays, alone."""
    lines = ["conv3 4 pad1", "conv3 4 pad1", "conv3 4 pad1", "gap", "linear 2"]
    trained = trained_network(Architecture.parse(lines, (4, 8, 8)))
    write_package(trained, tmp_path / "shapes")
    before = contents(tmp_path / "shapes")

    def mixed_up(architecture: Architecture) -> dict[str, str]:
        names = weight_names(architecture)
        return {**names, "line1.conv": names["line2.conv"], "line2.conv": names["line1.conv"]}

    monkeypatch.setattr(package, "weight_names", mixed_up)
    with pytest.raises(ExportError, match="other logits"):
        write_package(trained, tmp_path / "shapes")
    assert contents(tmp_path / "shapes") == before
    assert [path.name for path in tmp_path.iterdir()] == ["shapes"]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("import trainer", "trainer"),
        ("raise RuntimeError('not today \\x1b[31m')", r"not today \\x1b\[31m"),
        ("import os; os._exit(3)", "exit code 3"),
    ],
)
def test_a_package_that_cannot_be_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: str, reason: str
) -> None:
    """A package that fails where there is no flyweight is not exported, and the reason is said."""
    source = package._INIT.replace("import json", f"import json\n{lines}")
    monkeypatch.setattr(package, "_INIT", source)
    with pytest.raises(
        ExportError, match=rf"cannot be loaded in a process of its own \(.*{reason}"
    ):
        write_package(trained_network(), tmp_path / "shapes")
    assert not list(tmp_path.iterdir())


def test_real_images_are_compared_where_there_are_some(tmp_path: Path) -> None:
    """The line says on which images the logits were compared, and how near they came."""
    pixels = torch.randint(256, (30, 2, 10, 10), dtype=torch.uint8)
    found = write_package(trained_network(calibration=lambda: pixels), tmp_path / "shapes")
    assert re.search(r"^loaded again .*: the same logits on 30 training images( to \d)?", found)


def test_a_large_network_is_compared_on_fewer_images() -> None:
    """The comparison takes seconds, however many multiply-accumulates an image takes."""
    large = Architecture.parse(["conv7 64 pad3", "conv7 64 pad3", "gap", "linear 3"], (2, 200, 200))
    images, words = images_to_check(trained_network(large))
    assert (len(images), words) == (4, "4 random images")
    assert len(images_to_check(trained_network())[0]) == 1_000


def test_weights_of_another_network(tmp_path: Path) -> None:
    """Weights or classes that do not belong to the architecture are refused before writing."""
    trained = trained_network()
    weights = dict(trained.weights)
    first = next(iter(weights))
    for changes, reason in [
        ({"weights": {**weights, "line9.conv.weight": torch.zeros(1)}}, r"not in the architecture"),
        ({"weights": {k: v for k, v in weights.items() if k != first}}, r"not in the weights"),
        ({"weights": {**weights, first: torch.zeros(3)}}, r"has shape \(3,\), not"),
        ({"class_names": ("one", "two")}, "2 class names for 3 logits"),
    ]:
        with pytest.raises(ExportError, match=reason):
            write_package(trained_network(**changes), tmp_path / "shapes")
    assert not list(tmp_path.iterdir())

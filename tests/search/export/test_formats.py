from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from search.cli.summary import export_summary
from search.errors import ExportError
from search.export.folder import description_of
from search.export.formats import (
    DEFAULT_FORMATS,
    FORMATS,
    Format,
    chosen_formats,
    folders_of,
    write_formats,
)
from search.export.package import is_package
from search.export.trained_network import TrainedNetwork
from tests.search.export.c.test_sources import network_of
from tests.search.trained_networks import trained_network


def _write_lines(trained: TrainedNetwork, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "layers.txt").write_text(str(trained.architecture))


def _write_nothing(trained: TrainedNetwork, folder: Path) -> None:
    raise ModuleNotFoundError("No module named 'squeezer'", name="squeezer")


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of one more format, added as any format is: by an entry of the table."""
    monkeypatch.setitem(FORMATS, "lines", Format("its layers as text", _write_lines))
    return "lines"


def test_one_format_goes_into_the_folder_itself(tmp_path: Path) -> None:
    """The default is what an export wrote before there was a choice."""
    write_formats(trained_network(), tmp_path / "net", chosen_formats(DEFAULT_FORMATS))
    assert is_package(tmp_path / "net")


def test_several_formats_get_a_folder_each(tmp_path: Path, lines: str) -> None:
    """The Python package can be imported by the name of the folder; the others say what they are.

    A folder that is an exported package itself takes no others.
    """
    out, formats = tmp_path / "my-net", chosen_formats([f"torch,{lines}"])
    found = write_formats(trained_network(), out, formats)
    assert sorted(path.name for path in out.iterdir()) == ["lines", "my_net"]
    assert is_package(out / "my_net")
    assert "gap" in (out / lines / "layers.txt").read_text()
    said = export_summary(replace(trained_network(), checks=found), out, formats)
    assert found["torch"] in said.splitlines()
    assert f"{out / lines}: its layers as text" in said
    assert f"with {out} on Python's path: from my_net import load" in said
    with pytest.raises(ExportError, match="exported network already"):
        write_formats(trained_network(), out / "my_net", formats)


@pytest.mark.parametrize(
    "given", ["torch,lines", ["torch", "lines"], ["torch, lines"], ["torch,,lines", "torch"]]
)
def test_formats_are_named_in_one_text_or_in_several(lines: str, given: str | list[str]) -> None:
    """Commas and repetition come to the same, and what is named twice is written once."""
    assert chosen_formats(given) == ("torch", "lines")
    assert list(folders_of(Path("net"), chosen_formats(["lines"])).values()) == [Path("net")]


@pytest.mark.parametrize(
    ("given", "hint"), [(["trch"], "torch"), (["torch,tensorflow"], "tensorflow"), ([","], "torch")]
)
def test_an_unknown_format_is_named(given: list[str], hint: str) -> None:
    """One line says which name is wrong, the one that may be meant, and those that there are."""
    with pytest.raises(ExportError, match=hint) as caught:
        chosen_formats(given)
    assert str(caught.value).endswith(", ".join(FORMATS))


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A format whose extra is not installed says how to install it."""
    monkeypatch.setitem(FORMATS, "squeezed", Format("smaller", _write_nothing, extra="squeeze"))
    with pytest.raises(ExportError, match=r"squeezer; pip install 'flyweight\[squeeze\]'"):
        write_formats(trained_network(), tmp_path / "net", ("squeezed",))


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_written(tmp_path: Path, name: str) -> None:
    """Each entry of the table writes a folder with something in it, and says what it is."""
    trained = network_of(trained_network().architecture)
    if FORMATS[name].extra and importlib.util.find_spec(FORMATS[name].extra) is None:
        with pytest.raises(ExportError, match=rf"pip install 'flyweight\[{FORMATS[name].extra}\]'"):
            write_formats(trained, tmp_path / "net", (name,))
        return
    FORMATS[name].write(trained, tmp_path / "net")
    assert any((tmp_path / "net").iterdir())
    assert FORMATS[name].about


@pytest.mark.parametrize("name", FORMATS)
def test_formats_in_int8_hold_the_tuned_network(tmp_path: Path, name: str) -> None:
    """They are those of a network with the tuned weights; other formats know nothing of them."""
    if FORMATS[name].extra:
        pytest.importorskip(FORMATS[name].extra, reason="its packages are not installed")
    trained = network_of(trained_network().architecture)
    tuned = {key: each * 1.25 for key, each in trained.weights.items()}
    wanted = replace(trained, weights=tuned) if FORMATS[name].calibrated else trained
    found = []
    for folder, network in (("a", replace(trained, int8_weights=tuned)), ("b", wanted)):
        write_formats(network, tmp_path / folder / "net", (name,))
        files = sorted((tmp_path / folder / "net").iterdir())
        found.append({path.name: path.read_bytes() for path in files})
    assert found[0] == found[1]
    if FORMATS[name].calibrated:
        write_formats(trained, tmp_path / "c" / "net", (name,))
        assert any(
            (tmp_path / "c" / "net" / file).read_bytes() != held for file, held in found[0].items()
        )


@pytest.mark.parametrize("name", ["torch", "c", "c-int8"])
def test_another_studys_files_go_by_force(tmp_path: Path, name: str) -> None:
    """Files that are named after another study are replaced where force is given, none is left."""
    ours = network_of(trained_network().architecture)
    out = tmp_path / "net"
    write_formats(replace(ours, name="other"), out, (name,))
    with pytest.raises(ExportError, match="holds a network of other"):
        write_formats(ours, out, (name,))
    write_formats(ours, out, (name,), force=True)
    assert not list(out.glob("other*"))


def test_folders_of_another_kind_stay(tmp_path: Path) -> None:
    """An export of another format is named as what it is; equal names are parted."""
    ours = network_of(trained_network().architecture)
    write_formats(ours, tmp_path / "net", ("c",))
    with pytest.raises(ExportError, match="holds an export of the kind flyweight-c and stays"):
        write_formats(ours, tmp_path / "net", ("torch",))
    folders = folders_of(tmp_path / "c", ("torch", "c"))
    assert folders == {"torch": tmp_path / "c" / "net_c", "c": tmp_path / "c" / "c"}


def test_missing_images_stop_everything(tmp_path: Path) -> None:
    """Where int8 has no images to choose ranges by, no other format is written either."""
    with pytest.raises(ExportError, match="has no training images"):
        write_formats(trained_network(), tmp_path / "net", ("torch", "c-int8"))
    assert not (tmp_path / "net").exists()


def test_a_network_of_another_study_is_replaced_by_force_alone(tmp_path: Path) -> None:
    """The same study's may be written again; another's stays, is named, and yields to force."""
    ours, out = trained_network(), tmp_path / "net"
    write_formats(ours, out, DEFAULT_FORMATS)
    write_formats(ours, out, DEFAULT_FORMATS)
    other = replace(ours, name="other")
    before = (out / "architecture.json").read_bytes()
    with pytest.raises(
        ExportError, match=rf"holds a network of {ours.name}, not of other.*--force"
    ):
        write_formats(other, out, DEFAULT_FORMATS)
    assert (out / "architecture.json").read_bytes() == before
    write_formats(other, out, DEFAULT_FORMATS, force=True)
    kept = description_of(out)
    assert kept is not None
    assert kept["name"] == "other"

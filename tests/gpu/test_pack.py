from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from tests.gpu.pack import Package, closure, packages_of, to_carry
from tests.gpu.unpack import install, missing, unpack_files

REPORT = {
    "install": [
        {"metadata": {"name": name, "version": "1", "requires_dist": list(needs)}}
        for name, needs in {
            "torch": (
                'toolkit[libs]; platform_system == "Linux"',
                "typing_extensions>=4",
                'pyyaml; extra == "yaml"',
                'old; python_version < "3.12"',
                'msvc; sys_platform == "win32"',
            ),
            "toolkit": ('cublas; extra == "libs"', 'fft; extra == "others"'),
            "cublas": (),
            "fft": (),
            "typing_extensions": (),
            "torchvision": ("torch", "numpy"),
            "numpy": ("packaging",),
            "packaging": (),
            "Optuna": ("PyYAML", "typing-extensions"),
            "PyYAML": (),
            "old": (),
            "msvc": (),
        }.items()
    ]
}


def carried(*have: str) -> set[str]:
    """The names of what is packed for a machine that has some packages."""
    return {package.name for package in to_carry(packages_of(REPORT), have, "3.12")}


def test_what_comes_with_torch_is_left_out() -> None:
    """What torch needs on the machine, by its extras too, is there; what it might need is not."""
    others = {"fft", "torchvision", "numpy", "packaging", "optuna", "pyyaml", "old", "msvc"}
    assert carried() == others


def test_what_the_machine_has_is_left_out() -> None:
    """So is what comes with it but for packaging, and a name that is not needed is a mistake."""
    assert carried("Torchvision", "optuna") == {"fft", "packaging", "old", "msvc"}
    with pytest.raises(ValueError, match="torchvison: not among what is needed"):
        carried("torchvison")


@given(st.data())
def test_a_pack_completes_the_machine(data: st.DataObject) -> None:
    """Nothing is carried that is there, and nothing that what is there needs; all else is."""
    names = ["torch", *"abcdefg"]
    packages = {
        name: Package(
            name, "1", tuple(map(Requirement, data.draw(st.lists(st.sampled_from(names)))))
        )
        for name in names
    }
    have = data.draw(st.lists(st.sampled_from(names)))
    packed = {package.name for package in to_carry(packages, have, "3.12")}
    there = packages.keys() - packed
    assert {"torch", *have} <= there
    assert closure(there, packages, "3.12") == there
    assert closure(["torch", *have], packages, "3.12") == there


def _wheel(folder: Path, name: str, needs: str) -> Path:
    path = folder / f"{name}-1-py3-none-any.whl"
    info = f"{name}-1.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}.py", "")
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\nRequires-Dist: {needs}\n"
        wheel.writestr(f"{info}/METADATA", metadata)
        tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        wheel.writestr(f"{info}/WHEEL", tags)
        wheel.writestr(f"{info}/RECORD", "")
    return path


def test_wheels_are_installed_and_what_they_lack_is_named(tmp_path: Path) -> None:
    """A package that is not there, and one that is too old, must be named with who needs it."""
    wheels = [
        _wheel(tmp_path, "first", "nowhere-to-be-found>=2"),
        _wheel(tmp_path, "second", "pytest<1"),
        _wheel(tmp_path, "third", "pytest>=1"),
    ]
    site = tmp_path / "site"
    install(wheels, site)
    assert (site / "third.py").exists()
    lines = missing(site)
    assert lines[0] == "first needs nowhere-to-be-found>=2, and this machine has none"
    assert lines[1].startswith(f"second needs pytest<1, and this machine has {pytest.__version__}")
    assert len(lines) == 2


def test_files_are_unpacked_once(tmp_path: Path) -> None:
    """A file is unpacked under its name, and not again when it is there."""
    source, target = tmp_path / "packed", tmp_path / "plain" / "raw"
    source.mkdir()
    (source / "images.gz").write_bytes(gzip.compress(b"pixels"))
    unpack_files(source, target)
    assert (target / "images").read_bytes() == b"pixels"
    (target / "images").write_bytes(b"others")
    unpack_files(source, target)
    assert (target / "images").read_bytes() == b"others"

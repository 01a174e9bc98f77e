"""Pack what a machine without internet lacks: ``python -m tests.gpu.pack``, or ``make gpu-pack``.

The machine has Python and torch. Into ``.gpu/pack`` go the wheels of everything else that flyweight
and its tests need, and the files of MNIST.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.benchmarks.mnist import require_mnist
from tests.gpu.places import CARRIED_COMMIT, CARRIED_MNIST, PACK, ROOT, WHEELS, code_commit

__all__ = ["Package", "closure", "packages_of", "to_carry"]

_TORCH = "2.11.0"
_PYTHON = "3.12"
_TESTS_NEED = ("pytest", "hypothesis")
"""Of the extra ``test``; the others check the code."""

_ALWAYS = "packaging"
"""Small, and unpack.py says with it what is missing."""

# All versions of the C library that wheels are built for, up to that of Ubuntu 22.04.
_PLATFORMS = (
    *(f"manylinux_2_{minor}_x86_64" for minor in range(35, 4, -1)),
    *(f"manylinux{year}_x86_64" for year in ("2014", "2010", "1")),
)


@dataclass(frozen=True)
class Package:
    """One distribution of a resolution.

    Attributes:
        name: in its canonical spelling.
        version: that was chosen.
        requires: what it depends on, with markers.
    """

    name: str
    version: str
    requires: tuple[Requirement, ...] = ()


def packages_of(report: Mapping[str, Any]) -> dict[str, Package]:
    """Return the packages of pip's installation report, by name."""
    found = [
        Package(
            canonicalize_name(each["metadata"]["name"]),
            each["metadata"]["version"],
            tuple(map(Requirement, each["metadata"].get("requires_dist", ()))),
        )
        for each in report["install"]
    ]
    return {package.name: package for package in found}


def closure(names: Iterable[str], packages: Mapping[str, Package], python: str) -> set[str]:
    """Return the packages that come along when some are installed, and these.

    Args:
        names: of packages; those that ``packages`` lacks bring nothing along.
        packages: all there are, by name.
        python: the version of the machine's Python, as ``3.12``.
    """
    reached: set[tuple[str, str]] = set()
    waiting = [(canonicalize_name(name), "") for name in names]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in reached or name not in packages:
            continue
        reached.add((name, extra))
        for requirement in packages[name].requires:
            if _applies(requirement, extra, python):
                needed = canonicalize_name(requirement.name)
                waiting += [(needed, each) for each in ("", *requirement.extras)]
    return {name for name, _ in reached}


def to_carry(packages: Mapping[str, Package], have: Collection[str], python: str) -> list[Package]:
    """Return the packages that a machine lacks, by name.

    Args:
        packages: all that are needed, by name.
        have: what the machine has beside torch; it has what these depend on, too.
        python: the version of the machine's Python.

    Raises:
        ValueError: if something is named that is not needed.
    """
    unknown = sorted({canonicalize_name(name) for name in have} - packages.keys())
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: not among what is needed; leave it out of HAVE")
    present = closure(["torch", *have], packages, python) - {_ALWAYS}
    return [packages[name] for name in sorted(packages.keys() - present)]


def _applies(requirement: Requirement, extra: str, python: str) -> bool:
    if requirement.marker is None:
        return True
    machine: dict[str, str | frozenset[str]] = {
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_version": "",
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "os_name": "posix",
        "extra": extra,
    }
    return requirement.marker.evaluate(machine)


def _requirements(torch: str) -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    tests = [
        text
        for text in project["optional-dependencies"]["test"]
        if Requirement(text).name in _TESTS_NEED
    ]
    return [*project["dependencies"], *tests, f"torch=={torch}"]


def _pip(command: Sequence[str], python: str) -> None:
    """Run pip for the machine's Python and platform."""
    command = [*command, "--quiet", "--disable-pip-version-check", "--only-binary=:all:"]
    command += ["--implementation", "cp", "--python-version", python]
    command += [word for platform in _PLATFORMS for word in ("--platform", platform)]
    done = subprocess.run([sys.executable, "-m", "pip", *command], check=False)
    if done.returncode:
        raise SystemExit(
            f"pip found no wheels for Python {python}, as it says above; choose others with "
            "--torch and --python-version"
        )


def _resolve(torch: str, python: str) -> dict[str, Package]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = ["install", "--dry-run", "--ignore-installed", "--target", folder]
        _pip([*command, "--report", str(report), *_requirements(torch)], python)
        return packages_of(json.loads(report.read_text(encoding="utf-8")))


def _download(packages: Sequence[Package], python: str) -> None:
    shutil.rmtree(WHEELS, ignore_errors=True)
    pinned = [f"{package.name}=={package.version}" for package in packages]
    _pip(["download", "--no-deps", "--dest", str(WHEELS), *pinned], python)


def _copy_mnist(source: Path) -> Iterator[Path]:
    """Yield the compressed files of MNIST, made where they are missing."""
    CARRIED_MNIST.mkdir(parents=True, exist_ok=True)
    for path in sorted((source / "MNIST" / "raw").glob("*-ubyte")):
        packed = CARRIED_MNIST / f"{path.name}.gz"
        if not packed.exists():
            with path.open("rb") as plain, gzip.open(packed, "wb") as stream:
                shutil.copyfileobj(plain, stream)
        yield packed


def _mib(paths: Iterable[Path]) -> float:
    return sum(path.stat().st_size for path in paths) / 2**20


def main() -> None:
    """Fill the pack and print what is in it."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.gpu.pack", description="Pack what a machine with a card lacks."
    )
    parser.add_argument(
        "--have",
        nargs="*",
        default=[],
        metavar="NAME",
        help="packages that the machine has beside torch",
    )
    parser.add_argument("--torch", default=_TORCH, metavar="VERSION")
    parser.add_argument("--python-version", default=_PYTHON, metavar="VERSION")
    given = parser.parse_args()
    mnist = require_mnist()
    packages = _resolve(given.torch, given.python_version)
    try:
        carried = to_carry(packages, given.have, given.python_version)
    except ValueError as error:
        parser.error(str(error))
    _download(carried, given.python_version)
    data = list(_copy_mnist(mnist))
    commit = code_commit()
    CARRIED_COMMIT.write_text(f"{commit}\n", encoding="utf-8")
    for wheel in sorted(WHEELS.iterdir()):
        print(f"{_mib([wheel]):7.2f} MiB  {wheel.name}")
    print(f"{_mib(data):7.2f} MiB  MNIST")
    print(
        f"{_mib([*WHEELS.iterdir(), *data]):7.2f} MiB  in {PACK}, for Python "
        f"{given.python_version} and torch {given.torch}, commit {commit}"
    )


if __name__ == "__main__":
    main()

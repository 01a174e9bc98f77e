"""Install what was packed: ``python -m tests.gpu.unpack``, once, by every command of the day.

It needs no network and no virtual environment: the wheels go to ``.gpu/site``, which the commands
have on their path, and MNIST to ``.gpu/data``. Only Python's own library and pip are used.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path

from tests.gpu.places import CARRIED_MNIST, DATA, ROOT, SITE, WHEELS

__all__ = ["install", "missing", "unpack_files"]

_DONE = SITE / ".installed"


def install(wheels: Sequence[Path], site: Path) -> None:
    """Install wheels into a folder, without what they depend on.

    Raises:
        subprocess.CalledProcessError: if pip fails; it says why.
    """
    shutil.rmtree(site, ignore_errors=True)
    site.mkdir(parents=True)
    if wheels:
        command = ["install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]
        command += ["--no-compile", "--no-cache-dir", "--target", str(site), *map(str, wheels)]
        subprocess.run([sys.executable, "-m", "pip", *command], check=True)


def describe_flyweight(site: Path) -> None:
    """Write the metadata by which a checkout that is not installed knows its own version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    folder = site / f"{project['name']}-{project['version']}.dist-info"
    folder.mkdir()
    lines = ["Metadata-Version: 2.1", f"Name: {project['name']}", f"Version: {project['version']}"]
    lines += [f"Requires-Dist: {requirement}" for requirement in project["dependencies"]]
    (folder / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")


def unpack_files(source: Path, target: Path) -> None:
    """Unpack the compressed files of a folder into another, unless they are there."""
    for packed in source.glob("*.gz"):
        plain = target / packed.stem
        if not plain.exists():
            target.mkdir(parents=True, exist_ok=True)
            draft = plain.with_name(f".{plain.name}.new")
            with gzip.open(packed, "rb") as stream, draft.open("wb") as made:
                shutil.copyfileobj(stream, made)
            draft.replace(plain)


def missing(site: Path) -> list[str]:
    """Return what the packages of a folder need and this Python lacks, a line each."""
    from packaging.requirements import Requirement

    lines = []
    for each in distributions(path=[str(site)]):
        for text in each.requires or ():
            requirement = Requirement(text)
            if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
                continue
            try:
                found = version(requirement.name)
            except PackageNotFoundError:
                found = ""
            if not requirement.specifier.contains(found or "0", prereleases=True) or not found:
                has = f"has {found}" if found else "has none"
                lines.append(f"{each.name} needs {text}, and this machine {has}")
    return sorted(lines)


def main() -> None:
    """Install and unpack what is packed, unless that is done; print what is missing even so."""
    wheels = sorted(WHEELS.glob("*.whl"))
    key = hashlib.sha256("\n".join(wheel.name for wheel in wheels).encode()).hexdigest()
    if not _DONE.exists() or _DONE.read_text(encoding="utf-8") != key:
        install(wheels, SITE)
        describe_flyweight(SITE)
        _DONE.write_text(key, encoding="utf-8")
    unpack_files(CARRIED_MNIST, DATA / "MNIST" / "raw")
    if str(SITE) not in sys.path:
        sys.path.insert(0, str(SITE))
    importlib.invalidate_caches()
    # Not an error: much is measured without a package that is missing or old.
    for line in missing(SITE):
        print(f"warning: {line}", file=sys.stderr)


if __name__ == "__main__":
    main()

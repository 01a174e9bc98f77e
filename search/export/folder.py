"""Write the folder of an export completely or not at all, and never replace another folder."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from search.errors import ExportError, InputError
from search.spec.candidate_files import DESCRIPTION
from space.architecture import Architecture
from space.errors import SpaceError

__all__ = ["described_network", "description_of", "is_of_kind", "whole_folder", "write_texts"]


def description_of(folder: Path) -> dict[str, Any] | None:
    """Return what an exported network says of itself; None where a folder is no exported network.

    Its key ``format`` says what kind of export it is, ``name`` of which study.

    Raises:
        OSError: its description is there and cannot be read.
    """
    try:
        kept = json.loads((folder / DESCRIPTION).read_bytes())
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError, RecursionError):
        return None
    is_own = isinstance(kept, dict) and str(kept.get("format")).startswith("flyweight-")
    return kept if is_own else None


def described_network(folder: Path) -> tuple[dict[str, Any], Architecture]:
    """Return what an exported network says of itself, and its architecture.

    Raises:
        InputError: the folder is no exported network, or its description is damaged.
        OSError: its description is there and cannot be read.
    """
    described = description_of(folder)
    if described is None:
        raise InputError(
            f"{folder} holds no exported network: it has no {DESCRIPTION} of flyweight; give the "
            "folder that flyweight export wrote"
        )
    try:
        architecture = Architecture.from_json(described["architecture"])
        architecture.check()
    except (KeyError, TypeError, SpaceError) as error:
        raise InputError(f"{folder / DESCRIPTION} is damaged; export the network again") from error
    return described, architecture


def is_of_kind(*kinds: str) -> Callable[[Path], bool]:
    """Return a function that says whether a folder is an export of one of some kinds.

    It raises OSError if the folder's description is there and cannot be read.

    Args:
        *kinds: values of the key ``format``.
    """

    def is_of_these(folder: Path) -> bool:
        described = description_of(folder)
        return described is not None and described["format"] in kinds

    return is_of_these


def write_texts(folder: Path, texts: Mapping[str, str]) -> None:
    """Write texts into a folder, in UTF-8 and with the ends of lines that they have.

    Args:
        folder: to write to.
        texts: by the names of their files.
    """
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


@contextmanager
def whole_folder(
    out: Path, files: Collection[str], is_own: Callable[[Path], bool] | None = None
) -> Iterator[Path]:
    """Yield a new folder to write to, and move it to ``out`` if the body raises no error.

    The new folder has the name of ``out`` and is made in a temporary folder beside it. A folder
    that an earlier export wrote is replaced, but not after a failure. Missing parents are made.

    Args:
        out: the path of the finished folder.
        files: the names of all files that the format writes.
        is_own: returns whether this format wrote a folder; by default, whether the folder has all
            of ``files``.

    Raises:
        ExportError: something else is at ``out``, or it cannot be written.
    """
    out = Path(os.path.abspath(out))  # noqa: PTH100  # resolve() would follow a link at the end
    try:
        _check_place(out, files, is_own or (lambda folder: _has_all(folder, files)))
        out.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        new, aside = staging / out.name, staging / "replaced"
        try:
            new.mkdir()
            yield new
            _swap(new, out, aside)
        finally:
            if out.exists() or not aside.exists():
                shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise ExportError(
            f"{out} cannot be written ({error.strerror or error}); choose another --out"
        ) from error


def _has_all(folder: Path, files: Collection[str]) -> bool:
    return all((folder / name).is_file() for name in files)


def _check_place(out: Path, files: Collection[str], is_own: Callable[[Path], bool]) -> None:
    """Refuse to replace what this format did not write."""
    if out.is_symlink():
        raise ExportError(f"{out} is a link; give the folder that it leads to, or another")
    if not out.exists():
        return
    if not out.is_dir():
        raise ExportError(f"{out} is a file; choose another folder")
    if not is_own(out):
        described = description_of(out)
        what = (
            "is not an exported network"
            if described is None
            else f"holds an export of the kind {described['format']}"
        )
        raise ExportError(f"{out} {what} and stays as it is; choose another folder")
    named = (description_of(out) or {}).get("files", ())
    kept = map(str, named) if isinstance(named, list) else ()
    there = {path.name for path in out.iterdir()} - {*files, *kept}
    strange = sorted(name for name in there if not _is_made_again(name))
    if strange:
        raise ExportError(
            f"{out} has {strange[0]!r}, which is not part of an export and would be lost; move it"
        )


def _is_made_again(name: str) -> bool:
    """Return whether Python or pip leaves an entry of this name in a package that it uses."""
    return name in {"__pycache__", "build"} or name.endswith(".egg-info")


def _swap(new: Path, out: Path, aside: Path) -> None:
    """Move the new folder into its place; put the old one back when that fails."""
    replaced = out.exists()
    if replaced:
        out.rename(aside)
    try:
        new.rename(out)
    except BaseException:
        if replaced:
            aside.rename(out)
        raise

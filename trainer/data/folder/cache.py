"""Decoded images on disk, so that a large folder is decoded once on a machine.

An entry is a folder of two files: ``pixels.npy``, which is mapped into memory and so shared by all
processes that use it, and ``about.json``. It appears when it is whole. Its name is a digest of what
the image files hold and of how they are read, so a folder that was moved or copied has the same
one. Entries may be deleted at any time; those unused for longest go when all together are too
large.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from trainer.user_cache import cache_folder, own_folder

__all__ = ["NOTES", "Allocate", "Entry", "images_folder", "in_memory", "limit_bytes", "stored"]

Pixels: TypeAlias = NDArray[np.uint8]
Allocate: TypeAlias = Callable[[tuple[int, int, int, int]], Pixels]

NOTES = ".contents"
"""The suffix of small files beside the entries, which go when nobody has read them for long."""

_LIMIT_VARIABLE = "FLYWEIGHT_CACHE_GIB"
_LIMIT_GIB = 20.0
_PIXELS, _ABOUT = "pixels.npy", "about.json"
_STALE_SECONDS = 24 * 3600
_NOTES_SECONDS = 90 * _STALE_SECONDS


@dataclass(frozen=True)
class Entry:
    """Decoded images.

    Attributes:
        pixels: uint8, shape (n, channels, height, width).
        about: JSON values that belong to them.
    """

    pixels: Pixels
    about: dict[str, Any]


def images_folder() -> Path:
    """Return the folder of the entries, in that of the user's own; it is made if it is missing.

    Raises:
        OSError: if it cannot be made, or others may write to it.
    """
    folder = own_folder(cache_folder()) / "images"
    folder.mkdir(exist_ok=True)
    return folder


def limit_bytes() -> float:
    """Return how large all entries may be together: ``$FLYWEIGHT_CACHE_GIB``, else 20 GiB.

    0 means that nothing is kept.
    """
    try:
        gib = float(os.environ.get(_LIMIT_VARIABLE, _LIMIT_GIB))
    except ValueError:
        gib = _LIMIT_GIB
    return max(0.0, gib) * 2**30


def in_memory(shape: tuple[int, int, int, int]) -> Pixels:
    """Allocate pixels that are not kept."""
    return np.empty(shape, dtype=np.uint8)


def stored(key: str, make: Callable[[Allocate], Entry]) -> Entry:
    """Return the entry of a key; make it if there is none.

    Processes that ask at once wait for the first one. Where nothing can be kept the entry is made
    in memory.

    Args:
        key: letters and digits that stand for everything that the pixels depend on.
        make: makes the entry in arrays that it allocates by the function that it is given; only the
            array that it returns is kept.
    """
    try:
        folder = images_folder()
        lock = FileLock(folder / f"{key}.lock")
        lock.acquire()
    except OSError:
        return make(in_memory)
    try:
        kept = _load(folder / key)
        if kept is None:
            kept = _make(folder, key, make)
        return kept
    finally:
        lock.release()


def _load(place: Path) -> Entry | None:
    try:
        about = json.loads((place / _ABOUT).read_bytes())
        # Copy on write: the file cannot be changed through the array, and torch takes it.
        pixels = np.load(place / _PIXELS, mmap_mode="c", allow_pickle=False)
        os.utime(place / _ABOUT)
    except (OSError, ValueError, EOFError):
        return None
    usable = pixels.dtype == np.uint8 and pixels.ndim == 4
    return Entry(pixels, about) if usable and isinstance(about, dict) else None


def _make(folder: Path, key: str, make: Callable[[Allocate], Entry]) -> Entry:
    with _scratch(folder) as scratch:
        allocated: list[tuple[Pixels, Path]] = []

        def allocate(shape: tuple[int, int, int, int]) -> Pixels:
            size = int(np.prod(shape))
            if 0 < size <= limit_bytes() and size < shutil.disk_usage(folder).free * 0.9:
                file = scratch / f"{len(allocated)}.npy"
                with suppress(OSError):
                    pixels = _mapped(file, shape)
                    allocated.append((pixels, file))
                    return pixels
            return in_memory(shape)

        made = make(allocate)
        for pixels, file in allocated:
            if pixels is made.pixels:
                with suppress(OSError):
                    return _keep(made, file, folder / key)
        return made


def _mapped(file: Path, shape: tuple[int, int, int, int]) -> Pixels:
    pixels: Pixels = np.lib.format.open_memmap(file, mode="w+", dtype=np.uint8, shape=shape)
    if hasattr(os, "posix_fallocate"):
        # Without room on the disk, writing into the map would end the process.
        with file.open("r+b") as stream:
            os.posix_fallocate(stream.fileno(), 0, file.stat().st_size)
    return pixels


def _keep(made: Entry, file: Path, place: Path) -> Entry:
    if isinstance(made.pixels, np.memmap):
        made.pixels.flush()
    whole = file.parent / "whole"
    whole.mkdir()
    file.rename(whole / _PIXELS)
    (whole / _ABOUT).write_text(json.dumps(made.about), encoding="utf-8")
    shutil.rmtree(place, ignore_errors=True)
    whole.rename(place)
    _evict(place.parent, place)
    return _load(place) or made


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    scratch = folder / f".{uuid4().hex}"
    try:
        scratch.mkdir()
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _evict(folder: Path, newest: Path) -> None:
    """Delete what a killed process left, and the entries unused for longest above the limit."""
    entries = []
    for place in folder.iterdir():
        with suppress(OSError):
            if place.name.startswith("."):
                if _unused(place, _STALE_SECONDS):
                    shutil.rmtree(place, ignore_errors=True)
                    place.unlink(missing_ok=True)
            elif place.suffix == NOTES:
                if _unused(place, _NOTES_SECONDS):
                    place.unlink(missing_ok=True)
            elif place.is_dir() and place != newest:
                used = (place / _ABOUT).stat().st_mtime
                entries.append((used, (place / _PIXELS).stat().st_size, place))
    left = limit_bytes() - (newest / _PIXELS).stat().st_size
    for _, size, place in sorted(entries, reverse=True):
        left -= size
        if left < 0:
            shutil.rmtree(place, ignore_errors=True)
            with suppress(OSError):
                (folder / f"{place.name}.lock").unlink()


def _unused(place: Path, seconds: float) -> bool:
    return time.time() - place.stat().st_mtime > seconds

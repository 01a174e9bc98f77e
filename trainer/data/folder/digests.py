"""A digest of what many files hold, known without reading them while they are unchanged."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from trainer.data.folder.cache import NOTES, images_folder

__all__ = ["Facts", "contents_digest", "facts_of"]

_BYTES = 16
_UNREADABLE = b"\0" * _BYTES
_SETTLED_NS = 2_000_000_000
"""A file that changed so shortly before may change once more without another time."""


@dataclass(frozen=True)
class Facts:
    """What the system says of some files without opening them.

    Attributes:
        size: of all together, in bytes.
        key: digits that are others as soon as a file is moved, replaced or changed.
        changed: when the last one changed, in nanoseconds since 1970.
    """

    size: int
    key: str
    changed: int


def facts_of(files: Sequence[Path]) -> Facts:
    """Ask the system for the facts of files; one that is missing has facts too."""
    digest, size, changed = hashlib.sha256(), 0, 0
    for file in files:
        facts: tuple[int, ...] = ()
        with suppress(OSError):
            about = file.stat()
            size += about.st_size
            # Nobody sets the time of change, but Windows has that of the making there.
            at = about.st_ctime_ns if os.name == "posix" else about.st_mtime_ns
            changed = max(changed, at)
            facts = (about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino)
        digest.update(repr((str(file.absolute()), facts)).encode())
    return Facts(size, digest.hexdigest()[:32], changed)


def contents_digest(files: Sequence[Path], facts: Facts, threads: int) -> str:
    """Return a digest of the bytes of files in their order, whatever their names and places are.

    It is kept beside the decoded images, so that files are read once while their facts stay.

    Args:
        files: those of the facts; one that cannot be read counts as such.
        facts: of the files.
        threads: how many read at once.
    """
    note = None
    with suppress(OSError):
        note = images_folder() / f"{facts.key}{NOTES}"
        kept = note.read_text(encoding="ascii", errors="replace")
        if re.fullmatch(r"[0-9a-f]{64}", kept):
            os.utime(note)
            return kept
    started = time.time_ns()
    digest = hashlib.sha256()
    with ThreadPoolExecutor(threads) as pool:
        for each in pool.map(_digest, files):
            digest.update(each)
    found = digest.hexdigest()
    if note is not None and facts.changed < started - _SETTLED_NS:
        scratch = note.with_name(f".{uuid4().hex}")
        with suppress(OSError):
            scratch.write_text(found, encoding="ascii")
            scratch.replace(note)
    return found


def _digest(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=_BYTES)).digest()
    except OSError:
        return _UNREADABLE

"""The folder of the user's own that keeps what would be made anew: builds and decoded images."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

__all__ = ["NotOwn", "cache_folder", "own_folder"]


class NotOwn(OSError):
    """A folder into which other users may write."""


def cache_folder() -> Path:
    """Return the folder: ``$XDG_CACHE_HOME/flyweight`` or ``~/.cache/flyweight``.

    A user without a home that can be written to gets a folder among the temporary files.
    """
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "flyweight"
    try:
        home = Path.home()
    except RuntimeError:  # a user whom the system does not know
        home = None
    if home is not None and os.access(home, os.W_OK):
        return home / ".cache" / "flyweight"
    user = os.getuid() if hasattr(os, "getuid") else "home"
    return Path(tempfile.gettempdir()) / f"flyweight-{user}"


def own_folder(folder: Path) -> Path:
    """Make a folder of the user's alone, and refuse one in which others could put anything.

    Windows has no such modes; there the folder is made alone.

    Raises:
        NotOwn: if it belongs to another user, or others may write to it.
        OSError: if it cannot be made.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if hasattr(os, "getuid"):
        status = folder.stat()
        others_write = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if others_write or status.st_uid != os.getuid():
            raise NotOwn(f"other users may write to {folder}; make it yours alone (chmod 700)")
    return folder

"""Write the files that a command leaves: reports, tables, pictures."""

from __future__ import annotations

from pathlib import Path

from search.errors import ExportError

__all__ = ["check_place", "write_text"]


def check_place(path: Path) -> None:
    """Refuse a report that could not be written, before the work for it takes hours.

    Raises:
        ExportError: if its folder does not exist, or the path is a folder.
    """
    if not path.parent.is_dir():
        raise ExportError(
            f"{path} cannot be written: the folder {path.parent} does not exist; make it"
        )
    if path.is_dir():
        raise ExportError(f"{path} is a folder; give a file")


def write_text(path: Path, text: str) -> None:
    """Write a report of any command.

    Raises:
        ExportError: if the file cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ExportError(
            f"{path} cannot be written: {error.strerror}; choose another file"
        ) from error

"""What lies below a folder: its images, its subfolders, and what is passed over."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from trainer.data.folder.files import format_by_content, readable_formats, readable_suffixes
from trainer.data.reading import RULES

__all__ = ["UNNAMED", "PassedOver", "Tree", "name_of", "read_tree"]

UNNAMED = "image without a suffix"
"""The reason for which the rules 2 pass over what the rules 3 read."""

_EXAMPLES = 3

# Folders and files that systems, archives and storage boxes leave between images; in lower case.
_TOOLS = frozenset(
    {
        *("@eadir", "@__thumb", "#recycle", "#snapshot", "$recycle.bin", "lost+found"),
        *("__macosx", "__pycache__", "system volume information"),
        *("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "picasa.ini"),
    }
)

# Images for others: without a reader of Pillow's they are named apart from texts and tables.
_OTHER_IMAGES = frozenset(
    {
        *(".avif", ".heic", ".heif", ".hif", ".jp2", ".jxl", ".svg", ".webp"),
        *(".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".raf", ".raw", ".rw2"),
        *(".dcm", ".nii", ".exr", ".hdr", ".eps", ".ps", ".wmf", ".emf"),
    }
)


@dataclass
class PassedOver:
    """What is not read, by reason.

    Attributes:
        counts: how many files and folders, by reason, in the order in which they were met.
        examples: the first few of each.
    """

    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[Path]] = field(default_factory=dict)

    def note(self, reason: str, path: Path) -> None:
        """Count a file or a folder."""
        self.counts[reason] = self.counts.get(reason, 0) + 1
        first = self.examples.setdefault(reason, [])
        if len(first) < _EXAMPLES:
            first.append(path)


@dataclass(frozen=True)
class Tree:
    """A folder with what is of use below it.

    Attributes:
        path: of the folder.
        images: the image files in the folder itself, in the order of their names.
        folders: its subfolders, in the order of their names.
    """

    path: Path
    images: tuple[Path, ...]
    folders: tuple[Tree, ...]

    @property
    def name(self) -> str:
        """Return its name; see :func:`name_of`."""
        return name_of(self.path)

    @cached_property
    def count(self) -> int:
        """Return the number of images at every depth."""
        return len(self.images) + sum(folder.count for folder in self.folders)

    def files(self) -> Iterator[Path]:
        """Return the images at every depth, those of the folder itself first."""
        yield from self.images
        for folder in self.folders:
            yield from folder.files()

    def below(self) -> Iterator[Tree]:
        """Return the folders at every depth, without this one."""
        for folder in self.folders:
            yield folder
            yield from folder.below()


def name_of(path: Path) -> str:
    """Return a file's name composed as most systems write it: Macs take letters apart (NFD)."""
    return unicodedata.normalize("NFC", path.name)


def read_tree(folder: Path, passed_over: PassedOver, rules: int = RULES) -> Tree:
    """List a folder at every depth; links are followed, circles of them are not.

    Args:
        folder: one that exists.
        passed_over: counts what is not taken.
        rules: the version of the rules of reading, which say what an image is.

    Raises:
        OSError: if a folder cannot be listed.
    """
    return _read(folder, passed_over, rules, ())


def _read(
    folder: Path, passed_over: PassedOver, rules: int, above: tuple[tuple[int, int], ...]
) -> Tree:
    about = folder.stat()
    above = (*above, (about.st_dev, about.st_ino))
    images, folders = [], []
    for entry in sorted(folder.iterdir(), key=lambda entry: (name_of(entry), entry.name)):
        if reason := _litter(entry.name):
            passed_over.note(reason, entry)
        elif entry.is_dir():
            inner = entry.stat()
            if (inner.st_dev, inner.st_ino) in above:
                passed_over.note("link in a circle", entry)
            else:
                folders.append(_read(entry, passed_over, rules, above))
        elif reason := _no_image(entry, rules):
            passed_over.note(reason, entry)
        else:
            images.append(entry)
    return Tree(folder, tuple(images), tuple(folders))


def _litter(name: str) -> str | None:
    if name.casefold() in _TOOLS:
        return "made by a tool"
    return "hidden" if name.startswith(".") else None


def _no_image(file: Path, rules: int) -> str | None:
    suffix = file.suffix.lower()
    if suffix not in readable_suffixes(rules):
        if suffix in _OTHER_IMAGES:
            return f"{suffix} cannot be read here"
        # Numbered files may have no suffix, but a number after a point.
        if not suffix or suffix[1:].isdigit():
            return _without_suffix(file, rules)
        return f"no image ({suffix})"
    # A link to nothing is a broken image, which is said; opening a pipe would wait for ever.
    return None if file.is_file() or file.is_symlink() else "no regular file"


def _without_suffix(file: Path, rules: int) -> str | None:
    kind = format_by_content(file) if file.is_file() else None
    if kind is None:
        return f"no image ({file.suffix.lower() or 'without a suffix'})"
    if kind not in readable_formats():
        return f"{kind} without a suffix cannot be read here"
    return None if rules >= 3 else UNNAMED

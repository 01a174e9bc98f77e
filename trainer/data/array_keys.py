"""The keys of a file of arrays: which are images, which are labels, and of which part."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.errors import DataError

__all__ = ["ArrayKeys", "find_keys"]

_PARTS = {
    "training": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
_PATTERNS = (("x_{}", "y_{}"), ("{}_images", "{}_labels"))
_WHOLE = (("x", "y"), ("images", "labels"), ("data", "target"))
_NAMES = ("class_names", "classes", "label_names")
_KEYS = "x_train, y_train, x_test, y_test or train_images, train_labels, test_images, test_labels"


@dataclass(frozen=True)
class ArrayKeys:
    """What the keys of a file of arrays stand for.

    Attributes:
        parts: for each part that it has, the key of its images and that of its labels.
        names: the key of the names of the classes.
        others: the keys that are not read.
        problems: keys that nobody can mean so, a sentence each.
    """

    parts: Mapping[str, tuple[str, str]]
    names: str | None
    others: tuple[str, ...]
    problems: tuple[str, ...]


def find_keys(path: Path, files: Sequence[str]) -> ArrayKeys:
    """Find out which keys are which part.

    Args:
        path: of the file, for messages.
        files: its keys.

    Raises:
        DataError: if there is no training part.
    """
    spellings: dict[str, list[str]] = defaultdict(list)
    for key in files:
        spellings[key.casefold()].append(key)
    keys = {folded: found[-1] for folded, found in spellings.items()}
    pairs = {
        part: [(i.format(name), j.format(name)) for i, j in _PATTERNS for name in names]
        for part, names in _PARTS.items()
    }
    known = {*_NAMES, *(key for each in (*pairs.values(), _WHOLE) for pair in each for key in pair)}
    parts: dict[str, tuple[str, str]] = {}
    problems = [
        f"{' and '.join(found)} are one key in two spellings; keep one of them"
        for folded, found in spellings.items()
        if len(found) > 1 and folded in known
    ]
    halves: list[str] = []
    for part, each in pairs.items():
        _pair(part, each, keys, parts, problems)
        halves += _halves(each, keys)
    if not parts:
        _pair("training", _WHOLE, keys, parts, problems)
        if not parts:
            halves += _halves(_WHOLE, keys)
    problems += halves
    if "training" not in parts:
        if problems:
            raise DataError(f"{path}: {'; '.join(problems)}")
        shown = ", ".join(files[:8]) or "nothing"
        raise DataError(f"{path} has {shown}; it needs {_KEYS}")
    class_names = next((keys[name] for name in _NAMES if name in keys), None)
    used = {class_names, *(key for pair in parts.values() for key in pair)}
    return ArrayKeys(
        parts, class_names, tuple(key for key in files if key not in used), tuple(problems)
    )


def _pair(
    part: str,
    pairs: Iterable[tuple[str, str]],
    keys: Mapping[str, str],
    parts: dict[str, tuple[str, str]],
    problems: list[str],
) -> None:
    """Find the keys of a part, and note it as a problem if there are two pairs of them."""
    whole = [(keys[i], keys[j]) for i, j in pairs if i in keys and j in keys]
    if whole:
        parts[part] = whole[0]
    if len(whole) > 1:
        shown = " and as ".join(f"{images} with {labels}" for images, labels in whole)
        problems.append(f"the {part} part is there as {shown}; keep one of them")


def _halves(pairs: Iterable[tuple[str, str]], keys: Mapping[str, str]) -> Iterator[str]:
    """Say which images have no labels and which labels no images."""
    for i, j in pairs:
        if (i in keys) != (j in keys):
            there, lacks, what = (i, j, "labels") if i in keys else (j, i, "images")
            yield f"{keys[there]} has no {what} ({lacks}); add them or leave it out"

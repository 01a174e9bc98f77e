"""Which subfolders are parts, which are classes, and which files belong to them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trainer.data.folder.tree import UNNAMED, PassedOver, Tree, name_of, read_tree
from trainer.data.reading import RULES
from trainer.errors import DataError
from trainer.words import listed, plural

__all__ = ["PART_NAMES", "Layout", "find_layout"]

PART_NAMES = {
    "train": "training",
    "training": "training",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
"""The names of folders, in any case, that are parts where they hold a folder for each class."""

_WAY_OUT = "name the parts train/, val/ and test/"
_MASKS = frozenset(("images", "masks"))
_IMAGE_FOLDERS = frozenset(("images", "image", "imgs", "img", "jpegimages"))
_MASK_FOLDERS = frozenset(
    {
        *("masks", "mask", "gt", "groundtruth", "ground_truth", "labels", "annotations"),
        *("segmentationclass", "segmentationobject"),
    }
)
_MASK_FILE = re.compile(
    r"(.+?)[ _.-](?:mask|seg|segmentation|gt|groundtruth)s?(?:[ _-]?\d+)?", re.IGNORECASE
)
_ARCHIVES = frozenset((".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar"))


@dataclass(frozen=True)
class Layout:
    """The files of each class in each part.

    Attributes:
        classes: their names, sorted; labels follow this order.
        parts: for each part that the folder has (``training`` always, perhaps ``validation`` and
            ``test``) the files of each class.
        origins: the folder that each part came from.
        passed_over: what is not read.
        warnings: what is doubtful, a sentence each.
    """

    classes: tuple[str, ...]
    parts: Mapping[str, Mapping[str, tuple[Path, ...]]]
    origins: Mapping[str, Path]
    passed_over: PassedOver
    warnings: list[str] = field(default_factory=list)


def find_layout(path: Path, rules: int = RULES) -> Layout:
    """Find out what a folder of images holds; of files without a suffix the first bytes are read.

    Args:
        path: of the folder.
        rules: the version of the rules, 2 or newer.

    Raises:
        DataError: if it is missing or cannot be listed, has fewer than two classes, an empty class,
            parts that look like classes, or other classes in one part than in the training part.
    """
    passed_over = PassedOver()
    try:
        if not path.is_dir():
            what = "is not a folder" if path.exists() else "does not exist"
            hint = "unpack it, and " if path.suffix.lower() in _ARCHIVES else ""
            raise DataError(f"{path} {what}; {hint}name a folder with one subfolder for each class")
        tree = read_tree(path, passed_over, rules)
    except (OSError, RuntimeError, ValueError) as error:
        place = getattr(error, "filename", None) or path
        reason = error.strerror if isinstance(error, OSError) else error
        raise DataError(
            f"{place} cannot be read ({reason}); check its name and permissions"
        ) from error
    warnings: list[str] = []
    parts = _parts(_inner(tree), passed_over, warnings)
    classes = {name: _classes(part, name, passed_over, rules) for name, part in parts.items()}
    training = classes["training"]
    warnings += _near_names(training)
    warnings += _named_as_parts(training)
    warnings += _mask_folders(training)
    for found in classes.values():
        warnings += _mask_files(file for files in found.values() for file in files)
    for name in ("validation", "test"):
        if name in classes:
            _compare(parts, name, training, classes[name], warnings)
    return Layout(
        classes=tuple(training),
        parts={
            name: {each: found.get(each, ()) for each in training}
            for name, found in classes.items()
        },
        origins={name: _part_inner(part).path for name, part in parts.items()},
        passed_over=passed_over,
        warnings=warnings,
    )


def _inner(tree: Tree) -> Tree:
    """Go down through enclosing folders, which archives make."""
    while not tree.images and len(tree.folders) == 1:
        (only,) = tree.folders
        if not only.folders or only.name.casefold() in PART_NAMES:
            break
        tree = only
    return tree


def _part_inner(tree: Tree) -> Tree:
    """Go down through folders that enclose the classes of a part, as in ``train/train``."""
    while not tree.images and len(tree.folders) == 1 and tree.folders[0].folders:
        (tree,) = tree.folders
    return tree


def _has_classes(part: Tree) -> bool:
    return any(folder.count for folder in _part_inner(part).folders)


def _parts(tree: Tree, passed_over: PassedOver, warnings: list[str]) -> dict[str, Tree]:
    """Return the folder of each part; the folder itself where it holds the classes."""
    named = _by_part(tree.folders, lambda name: PART_NAMES.get(name.casefold()))
    whole = {part: folder for part, folder in named.items() if _has_classes(folder)}
    if "training" in whole:
        _refuse_unclear(tree, whole)
        for image in tree.images:
            passed_over.note("beside the parts", image)
        for folder in tree.folders:
            if folder in whole.values():
                continue
            if not folder.count:
                if folder.name.casefold() in PART_NAMES:
                    warnings.append(f"{folder.path} holds no images that are read and is not used")
            else:
                warnings.append(
                    f"{folder.path} holds {plural(folder.count, 'image')} and is not used: "
                    + (
                        "it has no folder for each class"
                        if folder.name.casefold() in PART_NAMES
                        else "it is none of train/, val/ and test/"
                    )
                )
        return whole
    if whole:
        part = next(iter(whole.values()))
        raise DataError(
            f"{tree.path} has {part.name}/ but no train/; add it or move the classes up"
        )
    if {"training", "test"} <= named.keys() or {"training", "validation"} <= named.keys():
        holders = " and ".join(f"{folder.name}/" for folder in named.values())
        raise DataError(
            f"{tree.path}: {holders} have no folder for each class"
            f"{_table_hint(passed_over)}; move the images into one folder for each class"
        )
    if disguised := _disguised(tree, warnings):
        return disguised
    _refuse_holders_of_parts(tree)
    return {"training": tree}


def _by_part(folders: Iterable[Tree], part_of: Callable[[str], str | None]) -> dict[str, Tree]:
    """Return the folders whose names say a part.

    Raises:
        DataError: if two are the same part.
    """
    found: dict[str, Tree] = {}
    for folder in folders:
        part = part_of(folder.name)
        if part is None:
            continue
        if part in found and _has_classes(folder) and _has_classes(found[part]):
            raise DataError(
                f"{folder.path} and {found[part].path} are both the {part} part; keep one of them"
            )
        if part not in found or _has_classes(folder):
            found[part] = folder
    return found


def _refuse_unclear(tree: Tree, parts: Mapping[str, Tree]) -> None:
    """Refuse a train/ beside folders of images, unless another part shows that it is a part."""
    others = [
        folder
        for folder in tree.folders
        if folder.count and folder.name.casefold() not in PART_NAMES
    ]
    if others and len(parts) == 1:
        raise DataError(
            f"{tree.path} has {parts['training'].name}/ with folders of images beside "
            f"{listed(folder.name + '/' for folder in others)}: move what is no part elsewhere, "
            "or, if all are classes, the images of each up into its folder"
        )


def _refuse_holders_of_parts(tree: Tree) -> None:
    """Refuse classes that hold parts, such as ``original/train`` beside ``augmented/train``."""
    for folder in _part_inner(tree).folders:
        for inner in folder.folders:
            if inner.name.casefold() in PART_NAMES and _has_classes(inner):
                raise DataError(
                    f"{inner.path} is a part with folders of images, so {folder.name}/ is no "
                    f"class; use folder:{folder.path} alone, or {_WAY_OUT} in {tree.path}"
                )


def _disguised(tree: Tree, warnings: list[str]) -> dict[str, Tree] | None:
    """Find parts that look like classes, for they have the same subfolders.

    Returns:
        The parts where their names say them, None where there is no sign of any.

    Raises:
        DataError: if there are signs but the names do not say which part is which.
    """
    inside = {
        folder.path: {sub.name.casefold() for sub in _part_inner(folder).folders if sub.count}
        for folder in tree.folders
    }
    alike = [
        folder
        for folder in tree.folders
        if any(
            len(inside[folder.path] & inside[other.path]) > 1
            for other in tree.folders
            if other is not folder
        )
    ]
    if not alike:
        warnings += _share_a_subfolder(tree, inside)
        return None
    names = listed(folder.name + "/" for folder in alike)
    shared = sorted(set.intersection(*(inside[folder.path] for folder in alike)))
    if set(shared) >= _MASKS:
        raise _masks(_part_inner(alike[0]))
    if shared and set(shared) <= PART_NAMES.keys():
        raise DataError(
            f"{tree.path}: each of {names} has {listed(name + '/' for name in shared)} inside; "
            f"put the classes into the parts, such as {shared[0]}/{alike[0].name}"
        )
    roles = [_part_in(folder.name) for folder in alike]
    if "training" in roles and None not in roles and len(set(roles)) == len(roles):
        for folder, role in zip(alike, roles, strict=True):
            warnings.append(f"{folder.path} is taken as the {role} part, by its name")
        parts = {str(role): folder for folder, role in zip(alike, roles, strict=True)}
        for folder in tree.folders:
            if folder not in alike and folder.count:
                warnings.append(
                    f"{folder.path} holds {plural(folder.count, 'image')} and is not used"
                )
        return parts
    seen = f" ({listed(shared)})" if shared else ""
    raise DataError(
        f"{tree.path}: {names} have the same subfolders{seen}, so they look like parts and not "
        f"like classes; {_WAY_OUT}, use one of them alone (folder:{alike[0].path}), or move the "
        "images up into one folder for each class"
    )


def _share_a_subfolder(tree: Tree, inside: Mapping[Path, set[str]]) -> Iterator[str]:
    """Warn of classes that have subfolders of one name beside others, for these may be classes."""
    several = {folder.name: inside[folder.path] for folder in tree.folders}
    several = {name: found for name, found in several.items() if len(found) > 1}
    holders: dict[str, list[str]] = {}
    for name, found in several.items():
        for each in found:
            holders.setdefault(each, []).append(name)
    for each, names in sorted(holders.items()):
        if len(names) > 1:
            yield (
                f"{tree.path}: {listed(name + '/' for name in names)} are taken as classes, and "
                f"each has a folder {each}/ inside; if that is the class, {_WAY_OUT}"
            )


def _part_in(name: str) -> str | None:
    """Return the one part that a word of a name says, such as ``seg_train``."""
    words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold())
    found = {PART_NAMES[word] for word in words if word in PART_NAMES}
    return found.pop() if len(found) == 1 else None


def _classes(
    part: Tree, name: str, passed_over: PassedOver, rules: int
) -> dict[str, tuple[Path, ...]]:
    """Return the files of each class of a part."""
    tree = _part_inner(part)
    for image in tree.images:
        passed_over.note("in no class's folder", image)
    found: dict[str, Tree] = {}
    for folder in tree.folders:
        if folder.name in found:
            raise DataError(
                f"{folder.path} and {found[folder.name].path} have one name in two spellings; "
                "move all images into one of them"
            )
        found[folder.name] = folder
    if name == "training":
        _require_classes(tree, found, passed_over)
    for folder in found.values():
        _refuse_nested(folder, found)
        for place in (folder, *folder.below()) if rules >= 3 else ():
            if _holds_masks(place):
                raise _masks(place)
    return {each: tuple(folder.files()) for each, folder in found.items() if folder.count}


def _require_classes(tree: Tree, found: Mapping[str, Tree], passed_over: PassedOver) -> None:
    if len(found) < 2:
        _refuse_loose(tree)
        what = f"only the class {next(iter(found))!r}" if found else "no subfolders"
        raise DataError(
            f"{tree.path} has {what}; it needs a subfolder for each class, at least two"
            f"{_table_hint(passed_over)}"
        )
    if _holds_masks(tree):
        raise _masks(tree)
    for folder in found.values():
        if not folder.count:
            raise DataError(
                f"{folder.path} has no images{_unread(folder.path, passed_over)}; "
                "add some or remove it"
            )


def _refuse_loose(tree: Tree) -> None:
    """Refuse images beside the one folder that holds the classes, as in ``train/train``."""
    if len(tree.folders) == 1 and tree.images and _has_classes(tree.folders[0]):
        loose = plural(len(tree.images), "image lies", "images lie")
        raise DataError(
            f"{tree.folders[0].path} holds a folder for each class, but {loose} beside it, such as "
            f"{name_of(tree.images[0])}; move what is loose into its class or elsewhere"
        )


def _holds_masks(tree: Tree) -> bool:
    return {folder.name.casefold() for folder in tree.folders if folder.count} >= _MASKS


def _masks(tree: Tree) -> DataError:
    """Return the refusal of a folder with masks, of a class or of all."""
    return DataError(
        f"{tree.path} has images/ and masks/, which are no classes: masks say where something "
        "is; make a folder for each class, without the masks"
    )


def _refuse_nested(folder: Tree, classes: Mapping[str, Tree]) -> None:
    """Refuse a class's folder inside another class's, for its images would have two labels."""
    names = {name.casefold() for name in classes} - {folder.name.casefold()}
    for inner in folder.below():
        if inner.count and inner.name.casefold() in names:
            raise DataError(
                f"{inner.path} holds images of the class {folder.name!r} by its place and of "
                f"{inner.name!r} by its name; move the folder to where it belongs"
            )


def _compare(
    parts: Mapping[str, Tree],
    name: str,
    training: Mapping[str, object],
    found: Mapping[str, object],
    warnings: list[str],
) -> None:
    """Refuse classes that only this part has, and note those that it lacks."""
    train, part = parts["training"].path, parts[name].path
    if extra := [each for each in found if each not in training]:
        _refuse_loose(_part_inner(parts[name]))
        near = {each.casefold(): each for each in training}
        other = near.get(extra[0].casefold())
        hint = f" (there it is {other!r})" if other else ""
        raise DataError(
            f"class {extra[0]!r} is in {part} but not in {train}{hint}; both need the same classes"
        )
    if missing := [each for each in training if each not in found]:
        warnings.append(f"{part} has no images of {listed(map(repr, missing))}")


def _near_names(classes: Iterable[str]) -> Iterator[str]:
    """Warn of classes whose names differ only in case or spaces."""
    known: dict[str, str] = {}
    for name in classes:
        near = known.setdefault(" ".join(name.casefold().split()), name)
        if near != name:
            yield f"the classes {near!r} and {name!r} have nearly the same name"


def _named_as_parts(classes: Iterable[str]) -> Iterator[str]:
    """Warn of classes that have the name of a part; a train/ may well be full of trains."""
    for name in classes:
        if PART_NAMES.get(name.casefold(), "training") != "training":
            yield (
                f"{name!r} is taken as a class, for it has no folder for each class; if its images "
                "have no labels, move it elsewhere"
            )


def _mask_folders(classes: Iterable[str]) -> Iterator[str]:
    """Warn of classes that have the names of images and of their masks, as in Pascal VOC."""
    names = list(classes)
    if any(name.casefold() in _IMAGE_FOLDERS for name in names):
        masks = [repr(name) for name in names if name.casefold() in _MASK_FOLDERS]
        if masks:
            yield (
                f"the classes {listed(map(repr, names))} have the names of images and what is "
                f"marked in them ({listed(masks)}); a class needs a folder of its own images"
            )


def _mask_files(files: Iterable[Path]) -> Iterator[str]:
    """Warn of images that have the name of another one beside them and a word such as _mask."""
    stems: dict[Path, dict[str, Path]] = {}
    for file in files:
        stems.setdefault(file.parent, {}).setdefault(file.stem.casefold(), file)
    pairs = [
        (file, found[match[1]])
        for found in stems.values()
        for stem, file in found.items()
        if (match := _MASK_FILE.fullmatch(stem)) and match[1] in found
    ]
    if pairs:
        mask, image = pairs[0]
        yield (
            f"{plural(len(pairs), 'image is', 'images are')} named as a mask of another one, such "
            f"as {mask} of {image.name}; masks say where something is, so move them elsewhere"
        )


def _table_hint(passed_over: PassedOver) -> str:
    tables = [
        example
        for reason in ("no image (.csv)", "no image (.tsv)", "no image (.xlsx)", "no image (.json)")
        for example in passed_over.examples.get(reason, ())
    ]
    return f" (labels in {name_of(tables[0])} are not read)" if tables else ""


def _unread(folder: Path, passed_over: PassedOver) -> str:
    """Name the images of a folder that cannot be read here."""
    for reason, examples in passed_over.examples.items():
        if reason.endswith("cannot be read here"):
            for example in examples:
                if folder in example.parents:
                    return f" that can be read here ({name_of(example)} cannot)"
    for example in passed_over.examples.get(UNNAMED, ()):
        if folder in example.parents:
            return f" with a suffix, such as .png ({name_of(example)} has none)"
    for reason, examples in passed_over.examples.items():
        for example in examples if reason.startswith("no image") else ():
            if folder in example.parents:
                return f" ({name_of(example)} is none by its suffix or content)"
    return ""

"""The rules 1 of reading a folder, by which older studies go on.

Nothing here may change a pixel, the order of the images or the classes: a study that began under
these rules compares them with what it keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps

from trainer.data.folder.files import bombs_refused, open_image, refuse_empty
from trainer.data.images import Images
from trainer.data.splits import (
    LEAST_WITHOUT_TEST,
    TEST_PARTS,
    VALIDATION_PARTS,
    require_images,
    stratified_split,
)
from trainer.errors import DataError
from trainer.words import plural

__all__ = ["ImageFolder", "open_by_rules_1"]

_IMAGE_SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pbm", ".pgm", ".ppm")
)
"""Files with other endings, and hidden ones, are not read as images."""

# A file's content decides its decoder: without this list a ".png" may start Ghostscript.
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
_GREY_MODES = frozenset({"1", "L", "LA", "I;16", "I;16B", "I;16L"})


@dataclass(frozen=True)
class ImageFolder:
    """An opened folder.

    Attributes:
        classes: the name of each class, in the order of their labels.
        training: the training part.
        read_test: reads the test part.
    """

    classes: tuple[str, ...]
    training: Images
    read_test: Callable[[], Images]


@dataclass(frozen=True)
class _Format:
    """The common format of all images: grey or colour, and a size (width, height)."""

    colour: bool
    size: tuple[int, int]
    resize: bool
    like: Path


def open_by_rules_1(
    path: Path, *, image_size: int | None = None, colour: bool | None = None
) -> ImageFolder:
    """Read the training part of a folder of images.

    The folder holds either one subfolder for each class, or `train/` and perhaps `test/` with
    such subfolders. Where there is no `test/`, a stratified fifth is set aside as the test part.
    The test part's files are not opened until `read_test` is called, but an empty file is refused
    at once. Images are turned upright by their EXIF data; transparency is dropped.

    Args:
        path: the folder; `~` is expanded.
        image_size: the side in pixels of the square to which every image is stretched, at least
            1; without it all images must have one size.
        colour: whether images become RGB; when None they do unless all of them are grey.

    Raises:
        DataError: if the folder is missing, has fewer than two classes, a class without enough
            images to split, other classes in `test/`, an image that cannot be read or has
            another size than the first, or more pixels than there is memory for.
    """
    try:
        path = path.expanduser()
        parts = _parts(path)
    except (OSError, RuntimeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise DataError(
            f"{path} cannot be read ({reason}); check its name and permissions"
        ) from error
    files, labels = _listing(parts[0])
    classes = tuple(parts[0])
    if len(parts) == 2:
        _require_images(path, labels, VALIDATION_PARTS, classes)
        test_files, test_labels = _listing(parts[1])
    else:
        _require_images(path, labels, LEAST_WITHOUT_TEST, classes)
        keep, aside = stratified_split(labels, TEST_PARTS, classes)
        test_files, test_labels = [files[i] for i in aside.tolist()], labels[aside]
        files, labels = [files[i] for i in keep.tolist()], labels[keep]
    for file in test_files:
        refuse_empty(file)
    form = _common_format(files, image_size, colour)
    return ImageFolder(
        classes=classes,
        training=Images(_read_all(files, form), labels),
        read_test=lambda: Images(_read_all(test_files, form), test_labels),
    )


def _require_images(path: Path, labels: torch.Tensor, least: int, classes: Sequence[str]) -> None:
    try:
        require_images(labels, least, classes)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def _parts(path: Path) -> list[dict[str, list[Path]]]:
    """Return the image files of each class: of the training part, and of a test part if any."""
    if not path.is_dir():
        what = "is not a folder" if path.exists() else "does not exist"
        raise DataError(f"{path} {what}; name a folder with one subfolder for each class")
    train, test = path / "train", path / "test"
    if not train.is_dir():
        if test.is_dir():
            raise DataError(f"{path} has test/ but no train/; add it or move the classes up")
        return [_classes(path)]
    if not test.is_dir():
        return [_classes(train)]
    parts = [_classes(train), _classes(test)]
    if differing := sorted(parts[0].keys() ^ parts[1].keys()):
        name = differing[0]
        has, lacks = (train, test) if name in parts[0] else (test, train)
        raise DataError(
            f"class {name!r} is in {has} but not in {lacks}; both need the same classes"
        )
    return parts


def _classes(folder: Path) -> dict[str, list[Path]]:
    classes = {
        entry.name: sorted(file for file in entry.rglob("*") if _is_image(file))
        for entry in sorted(folder.iterdir())
        if entry.is_dir() and not entry.name.startswith((".", "__"))
    }
    if len(classes) < 2:
        found = f"only the class {next(iter(classes))!r}" if classes else "no subfolders"
        raise DataError(f"{folder} has {found}; it needs a subfolder for each class, at least two")
    for name, files in classes.items():
        if not files:
            endings = " ".join(sorted(_IMAGE_SUFFIXES))
            raise DataError(f"{folder / name} has no images ({endings}); add some or remove it")
    return classes


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in _IMAGE_SUFFIXES and not file.name.startswith(".")


def _listing(classes: dict[str, list[Path]]) -> tuple[list[Path], torch.Tensor]:
    files = [file for found in classes.values() for file in found]
    labels = [label for label, found in enumerate(classes.values()) for _ in found]
    return files, torch.tensor(labels, dtype=torch.int64)


def _common_format(files: Sequence[Path], image_size: int | None, colour: bool | None) -> _Format:
    with bombs_refused(), ThreadPoolExecutor() as pool:
        if colour is None:
            colour = not all(pool.map(_is_grey, files))
        if image_size is not None:
            return _Format(colour, (image_size, image_size), resize=True, like=files[0])
        with open_image(files[0], _FORMATS) as image:
            size = ImageOps.exif_transpose(image).size
    return _Format(colour, size, resize=False, like=files[0])


def _read_all(files: Sequence[Path], form: _Format) -> torch.Tensor:
    width, height = form.size
    channels = 3 if form.colour else 1
    try:
        pixels = np.empty((len(files), channels, height, width), dtype=np.uint8)
    except (MemoryError, ValueError) as error:
        raise DataError(
            f"{plural(len(files), 'image')} of {channels}x{height}x{width} do not fit in memory; "
            "set a smaller image_size"
        ) from error

    def read(index: int) -> None:
        pixels[index] = _read(files[index], form)

    with bombs_refused(), ThreadPoolExecutor() as pool:
        for _ in pool.map(read, range(len(files))):
            pass
    return torch.from_numpy(pixels)


def _is_grey(file: Path) -> bool:
    with open_image(file, _FORMATS) as image:
        return image.mode in _GREY_MODES


def read_by_rules_1(file: Path, size: tuple[int, int], *, colour: bool) -> NDArray[np.uint8]:
    """Read one file; one of another size is stretched.

    Args:
        file: an image.
        size: width and height.
        colour: whether it is to have three channels rather than one.

    Returns:
        uint8 (channels, height, width).

    Raises:
        DataError: if it is no image that can be read.
    """
    return _read(file, _Format(colour, size, resize=True, like=file))


def _read(file: Path, form: _Format) -> NDArray[np.uint8]:
    with open_image(file, _FORMATS) as opened:
        image = _eight_bits(ImageOps.exif_transpose(opened), file)
        image = image.convert("RGB" if form.colour else "L")
        if form.resize:
            image = image.resize(form.size, Image.Resampling.BILINEAR)
    if image.size != form.size:
        (width, height), (first_width, first_height) = image.size, form.size
        raise DataError(
            f"{file} is {width}x{height} but {form.like} is {first_width}x{first_height}; "
            "set image_size to resize all"
        )
    array = np.asarray(image)
    return array.transpose(2, 0, 1) if form.colour else array[np.newaxis]


def _eight_bits(image: Image.Image, file: Path) -> Image.Image:
    if image.mode.startswith("I;16"):  # Pillow's own conversion clips at 255
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise DataError(
            f"{file} has pixels of mode {image.mode}, whose range is unknown; "
            "save it with 8 bits a channel"
        )
    return image

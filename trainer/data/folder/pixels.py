"""One image file by the rules 2: its header, its grey values, its pixels."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from trainer.data.folder.files import open_image, readable_formats
from trainer.data.reading import is_grey
from trainer.errors import DataError

__all__ = ["Form", "Header", "grey_range", "read_header", "read_pixels"]

_GREY_MODES = frozenset({"1", "L", "LA", "La"})
_WIDE_MODES = ("I", "F")  # and "I;16", "I;16B" and so on
_EXIF_ORIENTATION, _ON_ITS_SIDE = 0x0112, (5, 6, 7, 8)


@dataclass(frozen=True)
class Header:
    """What a file says of its image before it is decoded.

    Attributes:
        size: width and height, upright.
        grey: whether it is certain that its pixels have no colour.
        wide: whether its grey values have more than 8 bits.
        frames: how many pictures it holds; the first one is read.
        transparent: whether its pixels may be transparent.
    """

    size: tuple[int, int]
    grey: bool
    wide: bool
    frames: int
    transparent: bool


@dataclass(frozen=True)
class Form:
    """What files are turned into.

    Attributes:
        size: width and height of every image.
        resize: whether images of another size are stretched; otherwise they are refused.
        background: behind transparent pixels.
        channels: 1 or 3.
        scale: the wide grey values that become 0 and 255.
    """

    size: tuple[int, int]
    resize: bool
    background: str
    channels: int
    scale: tuple[float, float] | None


def read_header(file: Path, background: str) -> Header:
    """Open a file and read what stands before its pixels.

    Raises:
        DataError: if it is no image that can be read.
    """
    with open_image(file, readable_formats()) as image:
        size = image.size
        with suppress(Exception):  # damaged EXIF data beside a good picture
            if image.getexif().get(_EXIF_ORIENTATION) in _ON_ITS_SIDE:
                size = size[1], size[0]
        frames = 1
        with suppress(Exception):  # what follows the first picture may be damaged
            # Cameras put a second, small picture into a JPEG file (MPO).
            frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
        wide = _is_wide(image)
        through = is_grey(background) or not image.has_transparency_data
        return Header(
            size=size,
            grey=wide or (image.mode in _GREY_MODES and through),
            wide=wide,
            frames=frames,
            transparent=image.has_transparency_data,
        )


def grey_range(file: Path) -> tuple[float, float]:
    """Decode an image of wide grey values and return the lowest and the highest.

    Raises:
        DataError: if it cannot be decoded, or holds values that are not finite.
    """
    with open_image(file, readable_formats()) as image:
        values = _wide_values(image, file)
        return float(values.min()), float(values.max())


def read_pixels(file: Path, form: Form) -> tuple[NDArray[np.uint8], bool]:
    """Decode a file.

    Returns:
        Pixels of shape (channels, height, width), and whether they have any colour, or had it
        before they became grey.

    Raises:
        DataError: if it cannot be decoded or has another size.
    """
    with open_image(file, readable_formats()) as opened:
        if form.resize:
            # JPEG files decode much faster to an eighth, a quarter or a half of their size.
            opened.draft(None, (2 * form.size[0], 2 * form.size[1]))
        if _is_wide(opened):
            image = Image.fromarray(_scaled(_wide_values(opened, file), form))
        else:
            image = _upright(opened)
            if image.has_transparency_data:
                backdrop = Image.new("RGBA", image.size, form.background)
                image = Image.alpha_composite(backdrop, image.convert("RGBA")).convert("RGB")
        coloured = form.channels == 1 and image.mode not in _GREY_MODES and _has_colour(image, form)
        image = image.convert("RGB" if form.channels == 3 else "L")
        if form.resize:
            image = image.resize(form.size, Image.Resampling.BILINEAR)
    if image.size != form.size:
        sizes = (f"{width}x{height}" for width, height in (image.size, form.size))
        raise DataError(f"{file} is {' and not '.join(sizes)}; set image_size to resize all")
    array = np.asarray(image)
    if form.channels == 1:
        return array[np.newaxis], coloured
    return array.transpose(2, 0, 1), _channels_differ(array)


def _has_colour(image: Image.Image, form: Form) -> bool:
    image = image.convert("RGB")
    if form.resize:
        image = image.resize(form.size, Image.Resampling.BILINEAR)
    return _channels_differ(np.asarray(image))


def _channels_differ(array: NDArray[np.uint8]) -> bool:
    return bool((array != array[:, :, :1]).any())


def _is_wide(image: Image.Image) -> bool:
    return image.mode in _WIDE_MODES or image.mode.startswith("I;16")


def _upright(image: Image.Image) -> Image.Image:
    """Follow the orientation that a camera notes, if it can be read."""
    image.load()
    with suppress(Exception):
        return ImageOps.exif_transpose(image)
    return image


def _wide_values(image: Image.Image, file: Path) -> NDArray[np.float64]:
    values = np.asarray(_upright(image)).astype(np.float64)
    if not np.isfinite(values).all():
        raise DataError(f"{file} cannot be read as an image (it has values that are not finite)")
    return values


def _scaled(values: NDArray[Any], form: Form) -> NDArray[np.uint8]:
    low, high = form.scale or (0.0, 255.0)
    steps = 255 / (high - low) if high > low else 0.0
    return ((values - low) * steps).clip(0, 255).round().astype(np.uint8)

"""Open image files: which suffixes are images, and decoders that are safe to start."""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from PIL import Image

from trainer.data.reading import RULES
from trainer.errors import DataError

__all__ = [
    "bombs_refused",
    "format_by_content",
    "open_image",
    "readable_formats",
    "readable_suffixes",
    "refuse_empty",
]

# Pillow has readers for these that start other programs, need a handler of the user's, or read
# what is no picture.
_NO_PICTURES = frozenset(
    ("BUFR", "EPS", "FLI", "GRIB", "HDF5", "IPTC", "MCIDAS", "MPEG", "PDF", "WMF", "XVTHUMB")
)


# What the first bytes of a file say. Two letters alone are no proof, so more is asked of those.
_SIGNATURES = {
    "PNG": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "JPEG": re.compile(rb"\xff\xd8\xff"),
    "BMP": re.compile(rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\x00\x00\x00", re.DOTALL),
    "GIF": re.compile(rb"GIF8[79]a"),
    "TIFF": re.compile(rb"II[*+]\x00|MM\x00[*+]"),
    "WEBP": re.compile(rb"RIFF.{4}WEBP", re.DOTALL),
    "PPM": re.compile(rb"P[1-6]\s+(#|\d)"),
    "AVIF": re.compile(rb".{4}ftypavi[fs]", re.DOTALL),
    "HEIF": re.compile(rb".{4}ftyp(hei[cx]|hev[cx]|mif1)", re.DOTALL),
}
_SIGNATURE_BYTES = 32


def readable_formats() -> tuple[str, ...]:
    """Return the formats that Pillow reads here; pillow-heif adds HEIF where it is installed."""
    _load_readers()
    return _formats(len(Image.OPEN))


def readable_suffixes(rules: int = RULES) -> frozenset[str]:
    """Return the suffixes of image files that can be read here, in lower case, with their dot.

    Args:
        rules: the version of the rules of reading; those before 3 pass over files of several
            pictures (``.mpo``).
    """
    formats = readable_formats()
    # The reader of JPEG files reads those of several pictures too, which have none of their own.
    several = ("MPO",) if rules >= 3 and "JPEG" in formats else ()
    return _suffixes((*formats, *several), len(Image.EXTENSION))


def format_by_content(file: Path) -> str | None:
    """Return the format of an image by the first bytes of its file; None for anything else.

    Args:
        file: a regular file; one that cannot be read is none of the formats.
    """
    try:
        with file.open("rb") as stream:
            begin = stream.read(_SIGNATURE_BYTES)
    except OSError:
        return None
    return next((name for name, signature in _SIGNATURES.items() if signature.match(begin)), None)


@cache
def _load_readers() -> None:
    Image.init()
    with suppress(ImportError):
        importlib.import_module("pillow_heif").register_heif_opener()


# Readers and suffixes may be registered at any time; both tables only grow.
@cache
def _formats(_readers: int) -> tuple[str, ...]:
    return tuple(sorted(set(Image.OPEN) - _NO_PICTURES))


@cache
def _suffixes(formats: tuple[str, ...], _known: int) -> frozenset[str]:
    return frozenset(
        suffix.lower() for suffix, name in Image.registered_extensions().items() if name in formats
    )


def refuse_empty(file: Path) -> None:
    """Refuse a file without a byte.

    Raises:
        DataError: if it is there and empty.
    """
    if file.exists() and not file.stat().st_size:
        raise DataError(f"{file} is empty; replace or remove it")


@contextmanager
def open_image(file: Path, formats: tuple[str, ...]) -> Iterator[Image.Image]:
    """Open an image; whatever goes wrong with it inside the block is a :class:`DataError`.

    Args:
        file: the file. Its content decides its decoder, not its name.
        formats: the decoders that may be started: without them a ``.png`` may start Ghostscript.

    Raises:
        DataError: if it cannot be read, naming the file.
    """
    try:
        refuse_empty(file)
        with Image.open(file, formats=formats) as image:
            yield image
    except DataError:
        raise
    except Exception as error:  # decoders raise whatever a broken file leads them to
        said = str(error).replace(f" {str(file)!r}", "")
        if isinstance(error, OSError) and error.strerror:
            said = error.strerror
        reason = " ".join(said.split()) or type(error).__name__
        raise DataError(f"{file} cannot be read as an image ({reason}); replace it") from error


@contextmanager
def bombs_refused() -> Iterator[None]:
    """Refuse what Pillow takes for a decompression bomb, and silence its other warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield

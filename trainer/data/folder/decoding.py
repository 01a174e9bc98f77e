"""Many image files at once: decoded on all cores, within memory, and kept if they are many."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import PIL

from trainer.data.folder.cache import Allocate, Entry, Pixels, in_memory, limit_bytes, stored
from trainer.data.folder.digests import contents_digest, facts_of
from trainer.data.folder.files import bombs_refused, readable_formats
from trainer.data.folder.pixels import Form, Header, grey_range, read_header, read_pixels
from trainer.data.memory import require_memory
from trainer.data.reading import Progress, ReadOptions
from trainer.errors import DataError
from trainer.words import plural

__all__ = ["Broken", "Decoded", "SizesDiffer", "decode_like", "decode_training"]

T = TypeVar("T")

# Fewer files are decoded in the time that it takes to find them in the cache.
CACHED_FILES = 2_000
CACHED_BYTES = 1 << 24

_FORMAT = 2
_SHOWN = 3


class SizesDiffer(DataError):
    """Images of differing sizes without a size to bring them to."""


@dataclass(frozen=True)
class Broken:
    """A file that cannot be read.

    Attributes:
        index: its place among the files that were to be read.
        reason: one line that names it.
    """

    index: int
    reason: str


@dataclass(frozen=True)
class Decoded:
    """The decoded images of some files.

    Attributes:
        pixels: uint8, shape (n, channels, height, width), without those of broken files.
        form: what the files were turned into.
        broken: the files that cannot be read.
        coloured: indices among the images of those with any colour, also where they became grey.
        sizes: how many files have each size, as ``width x height``.
        wide: how many files have grey values of more than 8 bits.
        animated: how many files have more than one picture.
        transparent: how many files may have transparent pixels.
    """

    pixels: Pixels
    form: Form
    broken: tuple[Broken, ...]
    coloured: tuple[int, ...]
    sizes: dict[str, int]
    wide: int
    animated: int
    transparent: int


def decode_training(files: Sequence[Path], options: ReadOptions, progress: Progress) -> Decoded:
    """Decode the files of the training part, which decide the form of all others.

    Args:
        files: at least one.
        options: what the study asks for.
        progress: is told how many are done.

    Raises:
        DataError: if no file can be read, sizes differ and no size is asked for, or there is not
            enough memory.
    """

    def make(allocate: Allocate) -> Entry:
        headers, broken = _headers(files, options.background)
        _require_any(files, headers, broken)
        known = [header for header in headers if header is not None]
        resize = options.image_size is not None
        size = _size(files, headers, options.image_size)
        scale = None
        if any(header.wide for header in known):
            scale = _scale(files, headers)
        grey = options.colour is False or (
            options.colour is None and all(header.grey for header in known)
        )
        form = Form(size, resize, options.background, 1 if grey else 3, scale)
        one_colour = options.colour is None and not grey
        return _decode(files, headers, broken, form, allocate, progress, may_be_grey=one_colour)

    asked = {
        "image_size": options.image_size,
        "colour": options.colour,
        "background": options.background,
    }
    return _decoded(_kept(files, asked, make), files)


def decode_like(files: Sequence[Path], form: Form, progress: Progress) -> Decoded:
    """Decode files into the form of the training part.

    Raises:
        DataError: if there is not enough memory.
    """

    def make(allocate: Allocate) -> Entry:
        headers, broken = _headers(files, form.background)
        return _decode(files, headers, broken, form, allocate, progress, may_be_grey=False)

    return _decoded(_kept(files, asdict(form), make), files)


def _kept(files: Sequence[Path], asked: dict[str, Any], make: Callable[[Allocate], Entry]) -> Entry:
    """Take decoded files from the cache if they are worth it."""
    facts = facts_of(files)
    if (len(files) < CACHED_FILES and facts.size < CACHED_BYTES) or not limit_bytes():
        return make(in_memory)
    # The same bytes become the same pixels by the same versions of what decodes them.
    decoders = [_FORMAT, PIL.__version__, *readable_formats()]
    contents = contents_digest(files, facts, _cores())
    key = json.dumps([decoders, asked, contents], sort_keys=True)
    return stored(hashlib.sha256(key.encode()).hexdigest()[:32], make)


def _headers(files: Sequence[Path], background: str) -> tuple[list[Header | None], dict[int, str]]:
    found = _each(files, lambda file: read_header(file, background))
    headers = [None if isinstance(item, str) else item for item in found]
    return headers, {i: item for i, item in enumerate(found) if isinstance(item, str)}


def _require_any(
    files: Sequence[Path], headers: Sequence[Header | None], broken: dict[int, str]
) -> None:
    if not any(headers):
        raise DataError(
            f"none of {plural(len(files), 'file')} can be read as an image; the first: {broken[0]}"
        )


def _size(
    files: Sequence[Path], headers: Sequence[Header | None], image_size: int | None
) -> tuple[int, int]:
    if image_size is not None:
        return image_size, image_size
    sizes = Counter(header.size for header in headers if header is not None)
    if len(sizes) > 1:
        shown = ", ".join(f"{count:,} of {_by(size)}" for size, count in sizes.most_common(_SHOWN))
        more = f" and {plural(len(sizes) - _SHOWN, 'more size')}" if len(sizes) > _SHOWN else ""
        odd = sizes.most_common()[-1][0]
        file = next(f for f, h in zip(files, headers, strict=True) if h and h.size == odd)
        raise SizesDiffer(
            f"images differ in size ({shown}{more}; {file} is {_by(odd)}); "
            "set image_size to resize all"
        )
    return next(iter(sizes))


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _scale(files: Sequence[Path], headers: Sequence[Header | None]) -> tuple[float, float] | None:
    """Measure the lowest and the highest grey value of the wide files."""
    wide = [file for file, header in zip(files, headers, strict=True) if header and header.wide]
    ranges = [item for item in _each(wide, grey_range) if not isinstance(item, str)]
    if not ranges:
        return None
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def _decode(
    files: Sequence[Path],
    headers: Sequence[Header | None],
    broken: dict[int, str],
    form: Form,
    allocate: Allocate,
    progress: Progress,
    *,
    may_be_grey: bool,
) -> Entry:
    width, height = form.size
    known = [header for header in headers if header is not None]
    shape = (len(files), form.channels, height, width)
    require_memory(shape)
    for file, header in zip(files, headers, strict=True):
        if header is not None and header.size != form.size and not form.resize:
            raise SizesDiffer(
                f"{file} is {_by(header.size)} but the training images are {_by(form.size)}; "
                "set image_size to resize all"
            )
    pixels = allocate(shape)
    coloured = np.zeros(len(files), dtype=bool)
    broken = dict(broken)

    def read(index: int) -> None:
        if headers[index] is None:
            return
        pixels[index], coloured[index] = read_pixels(files[index], form)

    indices = [index for index, header in enumerate(headers) if header is not None]
    failures = _each(indices, read, progress)
    broken |= {
        i: failure for i, failure in zip(indices, failures, strict=True) if isinstance(failure, str)
    }
    good = [index for index in range(len(files)) if index not in broken]
    channels = form.channels
    if may_be_grey and not coloured.any():
        channels = 1
    if channels != form.channels or len(good) != len(files):
        compact = allocate((len(good), channels, height, width))
        for place, index in enumerate(good):
            compact[place] = pixels[index, :channels]
        pixels = compact
    return Entry(
        pixels,
        {
            "form": {**asdict(form), "channels": channels},
            # Without the path: what is kept serves a folder that was moved too.
            "broken": [[i, broken[i].removeprefix(str(files[i]))] for i in sorted(broken)],
            "coloured": [place for place, index in enumerate(good) if coloured[index]],
            "sizes": dict(Counter(_by(header.size) for header in known)),
            "wide": sum(header.wide for header in known),
            "animated": sum(header.frames > 1 for header in known),
            "transparent": sum(header.transparent for header in known),
        },
    )


def _decoded(entry: Entry, files: Sequence[Path]) -> Decoded:
    about = entry.about
    form = about["form"]
    scale = form["scale"]
    return Decoded(
        pixels=entry.pixels,
        form=Form(
            size=tuple(form["size"]),
            resize=form["resize"],
            background=form["background"],
            channels=form["channels"],
            scale=None if scale is None else (scale[0], scale[1]),
        ),
        broken=tuple(Broken(index, f"{files[index]}{why}") for index, why in about["broken"]),
        coloured=tuple(about["coloured"]),
        sizes=about["sizes"],
        wide=about["wide"],
        animated=about["animated"],
        transparent=about["transparent"],
    )


def _each(
    items: Sequence[Any], work: Callable[[Any], T], progress: Progress | None = None
) -> list[T | str]:
    """Do something to each item on all cores; a :class:`DataError` becomes its message."""

    def one(item: Any) -> T | str:
        try:
            return work(item)
        except DataError as error:
            # The way out is said once for all files.
            return str(error).removesuffix("; replace it").removesuffix("; replace or remove it")

    results: list[T | str] = []
    with bombs_refused(), ThreadPoolExecutor(_cores()) as pool:
        for result in pool.map(one, items):
            results.append(result)
            if progress is not None:
                progress(len(results), len(items))
    return results


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1

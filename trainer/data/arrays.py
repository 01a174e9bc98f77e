"""The kind of data set `npz:PATH`: arrays of images and labels in one file of numpy's."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.data.array_keys import find_keys
from trainer.data.dataset import Dataset
from trainer.data.entry import PathDataset, Shape
from trainer.data.findings import Findings, FoundPart, Group, Sample, measure
from trainer.data.images import Images
from trainer.data.memory import require_bytes
from trainer.data.reading import Progress, Reading, ReadOptions, no_progress
from trainer.data.splits import (
    LEAST_WITHOUT_TEST,
    TEST_PARTS,
    VALIDATION_PARTS,
    require_images,
    stratified_split,
)
from trainer.errors import DataError
from trainer.words import listed, plural

__all__ = ["ArrayFiles", "labels_of", "pixels_of"]

_CHANNELS = ((1, 3), (2, 4))
_LARGEST_LABEL = 2**53  # above it floats are whole numbers that were rounded
_BEGINNINGS = (np.lib.format.MAGIC_PREFIX, b"PK", b"\x80")  # one array, a zip, a pickle
_FAILURES = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


class ArrayFiles(PathDataset):
    """Images and labels in an ``.npz`` file.

    The keys are those of Keras or of MedMNIST. Images are uint8, or floats from 0 to 1, of shape
    (n, h, w), (n, h, w, c) or (n, c, h, w), labels (n,) or (n, 1). Pickles are never loaded.
    """

    prefix = "npz"

    def open(
        self, name: str, path: Path, options: ReadOptions, progress: Progress = no_progress
    ) -> Dataset:
        """Read the training part."""
        if given := options.given():
            raise DataError(f"{name}: {' and '.join(given)} cannot be used with arrays; remove it")
        return _File(path.expanduser(), options.rules).dataset(name)

    def inspect(
        self, name: str, path: Path, options: ReadOptions, progress: Progress = no_progress
    ) -> tuple[Findings, Dataset | None]:
        """Look at all arrays."""
        dataset = self.open(name, path, options, progress)
        training, validation = dataset.search_split()
        parts = {"training": training, "validation": validation, "test": dataset.test()}
        file = _File(path.expanduser(), options.rules)
        origins = file.origins()
        classes = dataset.info.classes
        findings = Findings(
            name=name,
            rules=options.rules,
            classes=classes,
            input_shape=dataset.info.input_shape,
            parts=tuple(
                FoundPart(
                    part,
                    origins[part],
                    tuple(images.labels.bincount(minlength=len(classes)).tolist()),
                )
                for part, images in parts.items()
            ),
            passed_over={"in no part": Group.of(file.others)} if file.others else {},
            warnings=[*file.warnings, *_missing(classes, parts, origins)],
        )
        samples = {
            part: Sample(images, lambda index, part=part: f"{part} {index}")  # type: ignore[misc]
            for part, images in parts.items()
        }
        measure(findings, samples)
        return findings, None if findings.problems else dataset

    def image_lines(self, shape: Shape, reading: Reading) -> list[str]:
        """Return statements that read the first image of a test array."""
        channels, height, width = shape
        lines = [
            "import numpy",
            "import torch",
            "",
            'pixels = numpy.load("some.npz")["x_test"][0]  # one image',
            'if pixels.dtype.kind == "f":',
            "    pixels = (pixels * 255).round()  # floats from 0 to 1",
        ]
        if channels > 1:
            lines += [
                f"if pixels.shape[0] != {channels}:",
                "    pixels = pixels.transpose(2, 0, 1)  # channels come first",
            ]
        return [
            *lines,
            f'pixels = pixels.astype("float32").reshape({channels}, {height}, {width})',
            "image = torch.from_numpy(pixels) / 255",
        ]


class _File:
    """An opened file of arrays; each array is read when it is asked for.

    Attributes:
        path: of the file.
        others: the keys that are not read.
        warnings: what is doubtful about its keys.
    """

    def __init__(self, path: Path, rules: int) -> None:
        self.path = path
        self._rules = rules
        if not path.is_file():
            what = "is not a file" if path.exists() else "does not exist"
            raise DataError(f"{path} {what}; name an .npz file")
        with self._failures(), self._opened() as file:
            self._found = find_keys(path, file.files)
        # A study of older rules has begun without a word of these.
        if self._found.problems and rules >= 3:
            raise DataError(f"{path}: {'; '.join(self._found.problems)}")
        self.others, self.warnings = self._found.others, self._found.problems

    def dataset(self, name: str) -> Dataset:
        """Read the training part, and the test part when it is first asked for."""
        images, values = self._part("training")
        classes, known = self._classes(values)
        training = Images(images, self._labels(values, known, "training"))
        begin: int | None = None
        least = TEST_PARTS if "validation" in self._found.parts else LEAST_WITHOUT_TEST
        test: Images | None = None
        if "test" not in self._found.parts:
            self._require(training.labels, least, classes)
            keep, aside = stratified_split(training.labels, TEST_PARTS, classes)
            training, test = training.subset(keep), training.subset(aside)
        elif "validation" not in self._found.parts:
            self._require(training.labels, VALIDATION_PARTS, classes)
        shape = training.shape
        if "validation" in self._found.parts:
            begin = len(training)
            more = self._images("validation", known, shape)
            training = Images(
                torch.cat((training.pixels, more.pixels)), torch.cat((training.labels, more.labels))
            )
        return Dataset(
            name,
            classes,
            training,
            lambda: self._images("test", known, shape) if test is None else test,
            reading=Reading(self._rules),
            validation_begin=begin,
        )

    def origins(self) -> dict[str, str]:
        """Return where each part comes from, in words."""
        found = {part: keys[0] for part, keys in self._found.parts.items()}
        whole = found["training"]
        return {
            "training": whole,
            "validation": found.get("validation", f"a sixth of {whole}, set aside"),
            "test": found.get("test", f"a fifth of {whole}, set aside"),
        }

    def _require(self, labels: Tensor, least: int, classes: Sequence[str]) -> None:
        try:
            require_images(labels, least, classes)
        except DataError as error:
            raise DataError(f"{self.path}: {error}") from None

    def _images(self, part: str, known: Mapping[Any, int], shape: Shape) -> Images:
        pixels, values = self._part(part)
        images = Images(pixels, self._labels(values, known, part))
        if images.shape != shape:
            sizes = ("x".join(map(str, size)) for size in (images.shape, shape))
            raise DataError(
                f"{self.path}: {self._found.parts[part][0]} has images of "
                f"{' and not of '.join(sizes)} as those for training"
            )
        return images

    def _part(self, part: str) -> tuple[Tensor, NDArray[Any]]:
        key, labels_key = self._found.parts[part]
        with self._failures(), self._opened() as file:
            for each in (key, labels_key):
                require_bytes(_size(file, each), f"{self.path}: {each} needs")
            images, labels = file[key], file[labels_key]
        pixels = pixels_of(images, f"{self.path}: {key}")
        values = labels_of(labels, f"{self.path}: {labels_key}")
        if len(pixels) != len(values):
            raise DataError(
                f"{self.path}: {key} has {plural(len(pixels), 'image')}, but {labels_key} has "
                f"{plural(len(values), 'label')}"
            )
        if not len(pixels):
            raise DataError(f"{self.path}: {key} has no images")
        return pixels, values

    def _classes(self, values: NDArray[Any]) -> tuple[tuple[str, ...], dict[Any, int]]:
        """Return the names of the classes, and the label of each value in the file."""
        distinct = np.unique(values).tolist()
        if self._found.names is None:
            if len(distinct) < 2:
                raise DataError(f"{self.path} has only the class {distinct[0]!r}; give two or more")
            return tuple(map(str, distinct)), {value: i for i, value in enumerate(distinct)}
        with self._failures(), self._opened() as file:
            key = self._found.names
            require_bytes(_size(file, key), f"{self.path}: {key} needs")
            given = file[key].reshape(-1)
        if given.dtype.kind == "S":
            given = _decoded(given, f"{self.path}: {key}")
        names = tuple(map(str, given.tolist()))
        if values.dtype.kind != "U" and not 0 <= min(distinct) <= max(distinct) < len(names):
            raise DataError(
                f"{self.path}: labels go from {min(distinct)} to {max(distinct)}, but "
                f"{self._found.names} has {plural(len(names), 'name')}"
            )
        if len(set(names)) != len(names) or len(names) < 2:
            raise DataError(
                f"{self.path}: {self._found.names} needs two names or more, all different"
            )
        keys = names if values.dtype.kind == "U" else range(len(names))
        return names, {key: label for label, key in enumerate(keys)}

    def _labels(self, values: NDArray[Any], known: Mapping[Any, int], part: str) -> Tensor:
        for value in np.unique(values).tolist():
            if value not in known:
                raise DataError(
                    f"{self.path}: {self._found.parts[part][1]} has the label {value!r}, which is "
                    "no class of the training part"
                )
        return torch.tensor([known[value] for value in values.tolist()], dtype=torch.int64)

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        _refuse_others(self.path)
        file = np.load(self.path, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise DataError(f"{self.path} is one array; save images and labels with numpy.savez")
        with file:
            yield file

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except DataError:
            raise
        except _FAILURES as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            if "allow_pickle" in reason:
                reason = "it holds Python objects, which are never loaded"
            raise DataError(
                f"{self.path} cannot be read ({reason}); save plain arrays with numpy.savez"
            ) from error


def _missing(
    classes: Sequence[str], parts: Mapping[str, Images], origins: Mapping[str, str]
) -> list[str]:
    """Say which classes have no image in a part; one that is set aside has some of each."""
    found = []
    for part, images in parts.items():
        counts = images.labels.bincount(minlength=len(classes)).tolist()
        lacks = [repr(name) for name, count in zip(classes, counts, strict=True) if not count]
        if lacks and part != "training":
            found.append(f"{origins[part]} has no images of {listed(lacks)}")
    return found


def pixels_of(images: NDArray[Any], place: str) -> Tensor:
    """Make pixels of an array of images.

    Args:
        images: uint8, bool, whole numbers from 0 to 255, or floats from 0 to 1; shape (n, h, w),
            (n, h, w, c) or (n, c, h, w) with 1 to 4 channels.
        place: what stands before a message.

    Returns:
        uint8 of shape (n, c, h, w).

    Raises:
        DataError: if it is another array.
    """
    if images.ndim == 3:
        images = images[:, None]
    elif images.ndim == 4:
        images = _channels_first(images, place)
    else:
        raise DataError(
            f"{place} has the shape {images.shape}; give (n, h, w), (n, h, w, c) or (n, c, h, w)"
        )
    kind = images.dtype.kind
    if kind not in "bfiu":
        raise DataError(f"{place} is of type {images.dtype}; give uint8, or floats from 0 to 1")
    if len(images) and not images.size:
        raise DataError(f"{place} has images without a pixel, of the shape {images.shape[1:]}")
    low, high = _ends(images)
    if kind == "b":
        images = images.astype(np.uint8) * np.uint8(255)
    elif kind == "f":
        if not (math.isfinite(low) and math.isfinite(high)):
            raise DataError(f"{place} has values that are not finite; replace them")
        if low < 0 or high > 1:
            raise DataError(
                f"{place} has floats from {_shown(low)} to {_shown(high)}; "
                "scale them to go from 0 to 1"
            )
        images = np.rint(images * images.dtype.type(255)).astype(np.uint8)
    else:
        if low < 0 or high > 255:
            raise DataError(
                f"{place} has whole numbers from {low:g} to {high:g}; "
                "give 0 to 255, or floats from 0 to 1"
            )
        images = images.astype(np.uint8)
    return torch.from_numpy(np.ascontiguousarray(images))


def labels_of(labels: NDArray[Any], place: str) -> NDArray[Any]:
    """Check an array of labels and return it with shape (n,).

    Args:
        labels: whole numbers or texts of shape (n,) or (n, 1).
        place: what stands before a message.

    Raises:
        DataError: if it is another array.
    """
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise DataError(
            f"{place} has the shape {labels.shape}; give one label for each image, (n,) or (n, 1): "
            "for one-hot rows that is labels.argmax(1)"
        )
    if labels.dtype.kind == "f":
        whole = (
            np.isfinite(labels) & (np.abs(labels) < _LARGEST_LABEL) & (np.trunc(labels) == labels)
        )
        if not bool(whole.all()):
            odd = labels[~whole][0]
            raise DataError(f"{place} has {odd:g}, which is no whole number; give one label each")
        labels = labels.astype(np.int64)
    if labels.dtype.kind == "S":
        labels = _decoded(labels, place)
    if labels.dtype.kind not in "iubU":
        raise DataError(f"{place} is of type {labels.dtype}; give whole numbers or texts")
    return labels


def _decoded(texts: NDArray[Any], place: str) -> NDArray[Any]:
    try:
        return np.char.decode(texts, "utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{place} has texts that are not UTF-8 ({error.reason}); save them as str"
        ) from None


def _channels_first(images: NDArray[Any], place: str) -> NDArray[Any]:
    first, last = images.shape[1], images.shape[3]
    for channels in _CHANNELS:
        if (first in channels) != (last in channels):
            return images if first in channels else images.transpose(0, 3, 1, 2)
        if first in channels:
            break
    raise DataError(
        f"{place} has the shape {images.shape}, in which the channels cannot be told; "
        "give (n, h, w), or 1 to 4 channels at the end or in the second place"
    )


def _ends(images: NDArray[Any]) -> tuple[float, float]:
    return (float(images.min()), float(images.max())) if images.size else (0.0, 0.0)


def _shown(value: float) -> str:
    """Return a number, short unless that hides that it is beyond 0 or 1."""
    short = f"{value:g}"
    return short if 0 <= value <= 1 or not 0 <= float(short) <= 1 else repr(value)


def _refuse_others(path: Path) -> None:
    """Refuse what is neither arrays nor a pickle, for numpy would call it a pickle.

    Raises:
        ValueError: if it is none of these.
        OSError: if it cannot be read.
    """
    with path.open("rb") as file:
        begin = file.read(len(_BEGINNINGS[0]))
    if begin and not begin.startswith(_BEGINNINGS):
        raise ValueError("it is no file of numpy's")


def _size(file: Any, key: str) -> int:
    """Return the bytes of an array and of the pixels made of it, without reading it."""
    with file.zip.open(f"{key}.npy") as stream:
        version = np.lib.format.read_magic(stream)
        read = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = read(stream)
    return math.prod(shape) * (int(dtype.itemsize) + (dtype != np.uint8))

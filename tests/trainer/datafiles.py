"""Small data sets in the files that the real ones come in."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from torchvision.datasets import CIFAR10

from trainer.data import Dataset, open_dataset
from trainer.data.datasets import DATASETS
from trainer.data.entry import Part
from trainer.data.torchvision_files import TorchvisionFiles
from trainer.errors import DataError


def write_idx(path: Path, array: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
    """Write an array of bytes as MNIST's files are written."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes())


def files_of(name: str) -> TorchvisionFiles:
    """The entry of a data set that torchvision downloads."""
    entry = DATASETS[name]
    assert isinstance(entry, TorchvisionFiles)
    return entry


def write_part(name: str, root: Path, part: Part, count: int = 120) -> None:
    """Random 28x28 images of ten classes in turn, as files of `name` below `root`."""
    random = np.random.default_rng(count)
    pixels = random.integers(0, 256, (count, 28, 28), dtype=np.uint8)
    images, labels = (root / files_of(name).folder / file for file in files_of(name).files(part))
    write_idx(images, pixels)
    write_idx(labels, (np.arange(count) % 10).astype(np.uint8))


def write_cifar(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small batches in place of CIFAR-10's, and their checksums in place of its own."""
    folder = root / "cifar-10-batches-py"
    folder.mkdir()
    random = np.random.default_rng(0)
    for attribute, files in (("train_list", CIFAR10.train_list), ("test_list", CIFAR10.test_list)):
        checksums = []
        for file, _ in files:
            data = random.integers(0, 256, (20, 3072), dtype=np.uint8)
            content = pickle.dumps({"data": data, "labels": [i % 10 for i in range(20)]})
            (folder / file).write_bytes(content)
            checksums.append([file, hashlib.md5(content).hexdigest()])
        monkeypatch.setattr(CIFAR10, attribute, checksums)
    names = pickle.dumps({"label_names": list(DATASETS["cifar10"].classes)})
    (folder / "batches.meta").write_bytes(names)
    monkeypatch.setitem(CIFAR10.meta, "md5", hashlib.md5(names).hexdigest())


def picture(seed: int, size: tuple[int, int] = (8, 8), mode: str = "L") -> Image.Image:
    """Random pixels, of a size given as width and height."""
    random = np.random.default_rng(seed)
    shape = (size[1], size[0]) if mode == "L" else (size[1], size[0], len(mode))
    return Image.fromarray(random.integers(0, 256, shape, dtype=np.uint8))


def write_classes(folder: Path, counts: dict[str, int], **options: Any) -> None:
    """As many random pictures of each class as `counts` says, in PNG files."""
    for number, (name, count) in enumerate(counts.items()):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            picture(1000 * number + i, **options).save(folder / name / f"{i:03}.png")


def opened(folder: Path, **options: Any) -> Dataset:
    """The folder as a data set."""
    return open_dataset(f"folder:{folder}", Path("unused"), **options)


def failure(name: str, root: Path = Path("unused"), **options: Any) -> str:
    """The one line of the error with which opening a data set ends."""
    with pytest.raises(DataError) as caught:
        open_dataset(name, root, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def write_parts(folder: Path, parts: dict[str, dict[str, int]], **options: Any) -> None:
    """For each part, named by its folder, as many pictures of each class; no two are alike."""
    for number, (part, counts) in enumerate(parts.items()):
        for place, (name, count) in enumerate(counts.items()):
            (folder / part / name).mkdir(parents=True, exist_ok=True)
            for i in range(count):
                seed = 100_000 * number + 1000 * place + i
                picture(seed, **options).save(folder / part / name / f"{i:03}.png")

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from search.export.example_image import image_lines
from trainer.data import RULES, Reading, open_dataset
from trainer.data.datasets import DATASETS
from trainer.data.torchvision_files import IdxFiles

IDX_NAMES = [name for name, entry in DATASETS.items() if isinstance(entry, IdxFiles)]


def _image(dataset: str, shape: tuple[int, int, int], reading: Reading | None = None) -> Any:
    """What the statements of a card make."""
    names: dict[str, Any] = {}
    exec("\n".join(image_lines(dataset, shape, reading)), names)
    return names["image"]


def _write_idx(path: Path, array: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes())


def test_a_digit() -> None:
    """A digit of scikit-learn is what the study made of it, to the rounding to bytes."""
    image = _image("digits", (1, 8, 8))
    assert image.shape == (1, 8, 8)
    training = open_dataset("digits", Path("unused")).training().pixels.float() / 255
    nearest = (training - image).abs().amax(dim=(1, 2, 3)).min()
    assert nearest <= 0.51 / 255


@pytest.mark.parametrize("name", IDX_NAMES)
def test_an_image_of_torchvision(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first test image of torchvision's class becomes that of the study, the right way up."""
    random = np.random.default_rng(0)
    monkeypatch.chdir(tmp_path)
    for part in ("training", "test"):
        images, labels = DATASETS[name].files(part)  # type: ignore[arg-type]
        folder = tmp_path / "data" / DATASETS[name].folder
        _write_idx(folder / images, random.integers(0, 256, (90, 28, 28), dtype=np.uint8))
        _write_idx(folder / labels, (np.arange(90) % 10).astype(np.uint8))
    wanted = open_dataset(name, tmp_path / "data").test().pixels[0].float() / 255
    torch.testing.assert_close(_image(name, (1, 28, 28)), wanted)


def _save(mode: str, seed: int, file: Path) -> None:
    """A random picture of one mode; most of the range of 16 bits, where the mode is ``I;16``."""
    random = np.random.default_rng(seed)
    if mode == "I;16":
        pixels = random.integers(100, 4096, (12, 20), dtype=np.uint16) * 13
        Image.fromarray(pixels).save(file)
    elif mode == "JPEG":
        smooth = random.integers(0, 256, (3, 5, 3), dtype=np.uint8)
        picture = Image.fromarray(smooth).resize((200, 120), Image.Resampling.BICUBIC)
        exif = Image.Exif()
        exif[0x0112] = 6
        picture.save(file, format="JPEG", exif=exif)
    else:
        shape = (12, 20) if mode == "L" else (12, 20, len(mode))
        Image.fromarray(random.integers(0, 256, shape, dtype=np.uint8)).save(file)


@pytest.mark.parametrize("rules", [1, RULES])
@pytest.mark.parametrize("size", [None, 9])
@pytest.mark.parametrize(
    ("mode", "channels"), [("L", 1), ("RGB", 3), ("RGBA", 3), ("LA", 1), ("I;16", 1), ("JPEG", 3)]
)
def test_a_picture_of_a_folder(
    mode: str,
    channels: int,
    size: int | None,
    rules: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A card reads a file to the very pixels of the study: grey, coloured, see-through, resized."""
    for label, name in enumerate("ab"):
        for part in ("train", "test"):
            folder = tmp_path / "images" / part / name
            folder.mkdir(parents=True)
            for index in range(8):
                _save(mode, 10 * label + index, folder / f"{index}.png")
    name = f"folder:{tmp_path / 'images'}"
    dataset = open_dataset(name, image_size=size, background="black", rules=rules)
    wanted = dataset.test().pixels[0].float() / 255
    assert wanted.shape[0] == channels
    (tmp_path / "images" / "test" / "a" / "0.png").rename(tmp_path / "some.png")
    monkeypatch.chdir(tmp_path)
    info = dataset.info
    made = _image(name, info.input_shape, Reading.from_dict(info.reading.to_dict()))
    torch.testing.assert_close(made, wanted, rtol=0, atol=0)


def test_pictures_of_two_depths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside greys of 16 bits, which have a scale, a card leaves those of 8 bits as they are."""
    for part in ("train", "test"):
        for name in "ab":
            folder = tmp_path / "images" / part / name
            folder.mkdir(parents=True)
            for index in range(8):
                _save("I;16" if index % 2 else "L", index, folder / f"{index}.png")
    dataset = open_dataset(f"folder:{tmp_path / 'images'}")
    monkeypatch.chdir(tmp_path)
    for index in (0, 1):
        (tmp_path / "images" / "test" / "a" / f"{index}.png").rename(tmp_path / "some.png")
        made = _image(dataset.info.name, dataset.info.input_shape, dataset.info.reading)
        (tmp_path / "some.png").rename(tmp_path / "images" / "test" / "a" / f"{index}.png")
        wanted = dataset.test().pixels[index].float() / 255
        torch.testing.assert_close(made, wanted, rtol=0, atol=0)


@pytest.mark.parametrize("name", DATASETS)
def test_every_data_set_has_lines(name: str) -> None:
    """The lines of each must be Python that makes an image and knows nothing of flyweight."""
    source = "\n".join(image_lines(name, DATASETS[name].input_shape))
    compile(source, name, "exec")
    assert "image = " in source
    assert not {"trainer", "search", "space"} & set(source.split())


def test_an_unknown_data_set_has_a_random_image() -> None:
    """A card for images that no entry reads must still show what a network takes."""
    assert _image("my-own", (2, 5, 7)).shape == (2, 5, 7)

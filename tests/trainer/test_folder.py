from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from trainer.data import Dataset, open_dataset
from trainer.errors import DataError
from trainer.folder import open_folder


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


def failure(folder: Path, **options: Any) -> str:
    """The one line of the error with which opening ends."""
    with pytest.raises(DataError) as caught:
        opened(folder, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_fifth_is_set_aside_where_there_is_no_test(tmp_path: Path) -> None:
    """Every image is in one part, the test part is a stratified fifth, class names are sorted."""
    write_classes(tmp_path, {"dog": 20, "cat": 30})
    data = opened(tmp_path)
    assert data.info.classes == ("cat", "dog")
    assert data.info.input_shape == (1, 8, 8)
    assert data.training().labels.bincount().tolist() == [24, 16]
    assert data.test().labels.bincount().tolist() == [6, 4]
    parts = (*data.search_split(), data.test())
    assert len({image.numpy().tobytes() for part in parts for image in part.pixels}) == 50


def test_pixels_and_labels_belong_together(tmp_path: Path) -> None:
    """Each image has the label of the folder that it came from, and its pixels unchanged."""
    for value, name in enumerate(("a", "b", "c")):
        (tmp_path / name).mkdir()
        for i in range(10):
            Image.new("L", (4, 3), value * 100 + i).save(tmp_path / name / f"{i}.png")
    data = opened(tmp_path)
    for images in (data.training(), data.test()):
        assert images.pixels.shape[1:] == (1, 3, 4)
        assert torch.equal(images.pixels[:, 0, 0, 0].long() // 100, images.labels)


def test_test_files_stay_shut(tmp_path: Path) -> None:
    """Opening and splitting read no image of test/, nor one of those set aside as test."""
    write_classes(tmp_path / "two" / "train", {"a": 6, "b": 6})
    write_classes(tmp_path / "two" / "test", {"a": 1, "b": 1})
    (tmp_path / "two" / "test" / "b" / "000.png").write_bytes(b"broken")
    write_classes(tmp_path / "one", {"a": 10, "b": 10})
    whole = opened(tmp_path / "one")
    spoilt = 0
    for file in sorted((tmp_path / "one").rglob("*.png")):
        pixels = torch.from_numpy(np.array(Image.open(file)))
        if any(torch.equal(pixels, image[0]) for image in whole.test().pixels):
            file.write_bytes(b"broken")
            spoilt += 1
    assert spoilt == 4
    for folder in (tmp_path / "one", tmp_path / "two"):
        data = opened(folder)
        data.search_split()
        with pytest.raises(DataError, match="cannot be read as an image"):
            data.test()


def test_train_and_test_folders(tmp_path: Path) -> None:
    """Where there is a test/ it is the test part, and all of train/ the training part."""
    write_classes(tmp_path / "train", {"a": 6, "b": 9})
    write_classes(tmp_path / "test", {"a": 1, "b": 2})
    data = opened(tmp_path)
    assert data.training().labels.tolist() == [0] * 6 + [1] * 9
    assert data.test().labels.tolist() == [0, 1, 1]


def test_a_train_folder_alone(tmp_path: Path) -> None:
    """A train/ without a test/ is split as a folder without either."""
    write_classes(tmp_path / "train", {"a": 10, "b": 10})
    write_classes(tmp_path / "flat", {"a": 10, "b": 10})
    inner, flat = opened(tmp_path), opened(tmp_path / "flat")
    assert inner.info.fingerprint == flat.info.fingerprint
    assert len(inner.test()) == 4


def test_files_that_are_no_images_are_passed_over(tmp_path: Path) -> None:
    """Litter of desktops and notes beside the images change nothing."""
    write_classes(tmp_path, {"a": 10, "b": 10})
    before = opened(tmp_path).info.fingerprint
    for name in (".DS_Store", "Thumbs.db", "notes.txt", "._000.png"):
        (tmp_path / "a" / name).write_bytes(b"litter")
    (tmp_path / "readme.txt").write_text("litter")
    (tmp_path / ".cache").mkdir()
    (tmp_path / "__MACOSX").mkdir()
    assert opened(tmp_path).info.fingerprint == before


def test_images_below_a_class_folder_belong_to_it(tmp_path: Path) -> None:
    """Subfolders of a class only order its images; endings may be in capitals."""
    write_classes(tmp_path, {"a": 10, "b": 9})
    (tmp_path / "b" / "more").mkdir()
    picture(5).save(tmp_path / "b" / "more" / "LAST.PNG")
    data = opened(tmp_path)
    assert len(data.training()) + len(data.test()) == 20


@pytest.mark.parametrize(
    ("modes", "asked", "channels"),
    [
        (("L",), None, 1),
        (("L", "1", "I;16", "LA"), None, 1),
        (("L", "RGB"), None, 3),
        (("RGB",), False, 1),
        (("L",), True, 3),
        (("P", "RGBA", "CMYK"), None, 3),
    ],
)
def test_colour(tmp_path: Path, modes: tuple[str, ...], asked: bool | None, channels: int) -> None:
    """Images are grey when all files are, in colour when one is, and as asked when asked."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(12):
            mode = modes[i % len(modes)]
            suffix = "tif" if mode == "CMYK" else "png"
            picture(i).convert(mode).save(tmp_path / name / f"{i}.{suffix}")
    data = opened(tmp_path, colour=asked)
    assert data.info.input_shape == (channels, 8, 8)
    assert data.test().pixels.shape[1] == channels


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    """Grey images of 16 bits keep their upper 8, so that nothing is clipped."""
    values = np.arange(0, 65536, 1024, dtype=np.uint16).reshape(8, 8)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(8):
            Image.fromarray(values).save(tmp_path / name / f"{i}.png")
    pixels = opened(tmp_path).training().pixels[0, 0]
    assert torch.equal(pixels, torch.from_numpy((values >> 8).astype(np.uint8)))


def test_photographs_stand_upright(tmp_path: Path) -> None:
    """The orientation that a camera notes beside the pixels is followed."""
    upright = picture(1, (6, 4))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = upright.transpose(Image.Transpose.ROTATE_90)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(8):
            turned.save(tmp_path / name / f"{i}.png", exif=exif)
    assert np.array_equal(opened(tmp_path).training().pixels[0, 0].numpy(), np.asarray(upright))


def test_sizes(tmp_path: Path) -> None:
    """Images of differing sizes need an image_size, and then all have it."""
    write_classes(tmp_path, {"a": 10, "b": 10})
    write_classes(tmp_path, {"c": 10}, size=(9, 7))
    message = failure(tmp_path)
    assert f"{tmp_path / 'c'}" in message
    assert "is 9x7 but" in message
    assert "set image_size" in message
    data = opened(tmp_path, image_size=5)
    assert data.info.input_shape == (1, 5, 5)
    assert data.test().pixels.shape[1:] == (1, 5, 5)
    assert "image_size is 0" in failure(tmp_path, image_size=0)


def test_a_test_image_of_another_size_is_named(tmp_path: Path) -> None:
    """A test/ of another size than train/ is refused when it is read."""
    write_classes(tmp_path / "train", {"a": 6, "b": 6})
    write_classes(tmp_path / "test", {"a": 1, "b": 1}, size=(9, 9))
    with pytest.raises(DataError, match=r"000\.png is 9x9 but .*000\.png is 8x8"):
        opened(tmp_path).test()


def _absent(folder: Path) -> None:
    folder.rmdir()


def _a_file(folder: Path) -> None:
    folder.rmdir()
    folder.write_text("")


def _one_class(folder: Path) -> None:
    write_classes(folder, {"only": 10})


def _no_images(folder: Path) -> None:
    write_classes(folder, {"a": 10, "b": 0})


def _few_images(folder: Path) -> None:
    write_classes(folder, {"a": 10, "b": 7})


def _few_training_images(folder: Path) -> None:
    write_classes(folder / "train", {"a": 10, "b": 5})
    write_classes(folder / "test", {"a": 10, "b": 10})


def _test_alone(folder: Path) -> None:
    write_classes(folder / "test", {"a": 10, "b": 10})


def _other_classes(folder: Path) -> None:
    write_classes(folder / "train", {"a": 10, "b": 10})
    write_classes(folder / "test", {"a": 10, "c": 10})


def _unreadable(folder: Path) -> None:
    write_classes(folder, {"a": 10, "b": 10})
    for file in (folder / "b").iterdir():
        file.write_bytes(b"no image")


def _empty(folder: Path) -> None:
    write_classes(folder, {"a": 10, "b": 10})
    for file in (folder / "b").iterdir():
        file.write_bytes(b"")


def _postscript(folder: Path) -> None:
    write_classes(folder, {"a": 10, "b": 10})
    for file in (folder / "b").iterdir():
        picture(0).save(file, format="EPS")


def _floats(folder: Path) -> None:
    write_classes(folder, {"a": 10, "b": 10})
    for file in (folder / "b").iterdir():
        picture(0).convert("F").save(file, format="TIFF")


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (_absent, "does not exist; name a folder"),
        (_a_file, "is not a folder; name a folder"),
        (lambda folder: None, "has no subfolders; it needs"),
        (_one_class, "has only the class 'only'; it needs"),
        (_no_images, "/b has no images (.bmp"),
        (_few_images, "class 'b' has 7 images and splitting needs at least 8"),
        (_few_training_images, "class 'b' has 5 images and splitting needs at least 6"),
        (_test_alone, "has test/ but no train/"),
        (_other_classes, "class 'b' is in"),
        (_unreadable, ".png cannot be read as an image (cannot identify"),
        (_empty, ".png is empty; replace or remove it"),
        (_postscript, ".png cannot be read as an image (cannot identify"),
        (_floats, ".png has pixels of mode F"),
    ],
)
def test_what_is_wrong_is_said(
    tmp_path: Path, prepare: Callable[[Path], None], message: str
) -> None:
    """A folder that cannot be used is refused with one line that names the place."""
    folder = tmp_path / "images"
    folder.mkdir()
    prepare(folder)
    found = failure(folder)
    assert message in found
    assert str(folder) in found or "class 'b' has" in found


def test_decompression_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image above Pillow's limit is an error, not a warning, and names the file."""
    write_classes(tmp_path, {"a": 10, "b": 10})
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)
    assert ".png cannot be read as an image (Image size (64 pixels) exceeds" in failure(tmp_path)


def test_reading_is_silent(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    """Pillow's remarks on odd images reach nobody, and the caller's warning filters stay."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(8):
            odd = picture(i).convert("P")
            odd.save(tmp_path / name / f"{i}.png", transparency=bytes(range(256)))
    filters = list(warnings.filters)
    opened(tmp_path)
    assert len(recwarn) == 0
    assert list(warnings.filters) == filters


@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_any_damage_is_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whatever bytes an image file holds, opening gives images or a DataError and nothing else."""
    folder = tmp_path_factory.getbasetemp() / "damaged-folder"
    if not folder.exists():
        write_classes(folder / "train", {"a": 6, "b": 6}, size=(4, 4))
        write_classes(folder / "test", {"a": 1, "b": 1}, size=(4, 4))
    stream = io.BytesIO()
    kind = data.draw(st.sampled_from(("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")))
    picture(0, (4, 4)).save(stream, format=kind)
    content = bytearray(stream.getvalue())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=5)):
        content[place] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(content)) | st.just(len(content)))
    (folder / "train" / "a" / "000.png").write_bytes(content[:end])
    with contextlib.suppress(DataError):
        opened = open_folder(folder, image_size=4, colour=data.draw(st.booleans()))
        assert opened.training.pixels.shape[2:] == (4, 4)

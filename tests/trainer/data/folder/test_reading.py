from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.trainer.datafiles import failure, opened, picture, write_classes
from trainer.errors import DataError


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
    assert sorted(data.training().labels.tolist()) == [0] * 6 + [1] * 9
    assert data.test().labels.tolist() == [0, 1, 1]


def test_a_train_folder_alone(tmp_path: Path) -> None:
    """A train/ without a test/ is split as a folder without either."""
    write_classes(tmp_path / "one" / "train", {"a": 10, "b": 10})
    write_classes(tmp_path / "flat", {"a": 10, "b": 10})
    inner, flat = opened(tmp_path / "one"), opened(tmp_path / "flat")
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
            drawn = picture(i) if mode in ("L", "1", "I;16", "LA") else picture(i, mode="RGB")
            drawn.convert(mode).save(tmp_path / name / f"{i}.{suffix}")
    data = opened(tmp_path, colour=asked)
    assert data.info.input_shape == (channels, 8, 8)
    assert data.test().pixels.shape[1] == channels


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
    message = failure(f"folder:{tmp_path}")
    assert f"{tmp_path / 'c'}" in message
    assert "is 9x7" in message
    assert "of 8x8" in message
    assert "set image_size" in message
    data = opened(tmp_path, image_size=5)
    assert data.info.input_shape == (1, 5, 5)
    assert data.test().pixels.shape[1:] == (1, 5, 5)
    assert "image_size: 0 is too small" in failure(f"folder:{tmp_path}", image_size=0)


def test_a_test_image_of_another_size_is_named(tmp_path: Path) -> None:
    """A test/ of another size than train/ is refused when it is read."""
    write_classes(tmp_path / "train", {"a": 6, "b": 6})
    write_classes(tmp_path / "test", {"a": 1, "b": 1}, size=(9, 9))
    with pytest.raises(DataError, match=r"000\.png is 9x9 but the training images are 8x8"):
        opened(tmp_path).test()


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

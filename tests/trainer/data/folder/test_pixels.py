from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.trainer.datafiles import failure, opened, picture, write_classes


def write(folder: Path, draw: Callable[[int], Image.Image], suffix: str = ".png") -> None:
    """Eight pictures of each of two classes, drawn by number from 0 to 15."""
    for label, name in enumerate(("a", "b")):
        (folder / name).mkdir(parents=True)
        for i in range(8):
            draw(8 * label + i).save(folder / name / f"{i}{suffix}")


def pixels(folder: Path, **options: Any) -> NDArray[np.uint8]:
    """All pixels of the training and the test part."""
    data = opened(folder, **options)
    both = (data.training().pixels.numpy(), data.test().pixels.numpy())
    return np.concatenate(both)


@pytest.mark.parametrize(
    ("background", "shown"),
    [("white", (255, 255, 255)), ("black", (0, 0, 0)), ("#102030", (0x10, 0x20, 0x30))],
)
@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "RGB"])
def test_transparency_is_laid_on_the_background(
    tmp_path: Path, mode: str, background: str, shown: tuple[int, int, int]
) -> None:
    """What is seen through is the background, whatever colour lies hidden there."""

    def draw(_number: int) -> Image.Image:
        image = Image.new("RGBA", (2, 1), (200, 200, 200, 255))
        image.putpixel((0, 0), (77, 77, 77, 0))
        if mode in ("RGBA", "LA"):
            return image.convert(mode)
        grey = Image.new("L", (2, 1), 200)
        grey.putpixel((0, 0), 77)
        plain = grey.convert(mode)
        key = plain.getpixel((0, 0))
        plain.info["transparency"] = key
        return plain

    write(tmp_path, draw)
    found = pixels(tmp_path, background=background)
    grey = len(set(shown)) == 1
    assert found.shape == (16, 1 if grey else 3, 1, 2)
    wanted = shown[:1] if grey else shown
    assert (found[:, :, 0, 0] == wanted).all()
    assert (found[:, :, 0, 1] == 200).all()


def test_half_transparency_mixes(tmp_path: Path) -> None:
    """Half of black on white is the grey between them."""
    write(tmp_path, lambda _: Image.new("RGBA", (2, 2), (0, 0, 0, 128)))
    assert (pixels(tmp_path) == 127).all()


@pytest.mark.parametrize("background", ["green", "#12345", "", "#GG0000"])
def test_other_backgrounds_are_refused(tmp_path: Path, background: str) -> None:
    """Only black, white and six hexadecimal digits are colours here."""
    assert "is not a background; give" in failure(f"folder:{tmp_path}", background=background)


@pytest.mark.parametrize(
    ("low", "high", "kind", "suffix"),
    [
        (0, 65535, np.uint16, ".png"),
        (0, 4095, np.uint16, ".png"),
        (300, 4095, np.uint16, ".tif"),
        (-1000, 3000, np.int32, ".tif"),
        (-0.5, 2.5, np.float32, ".tif"),
    ],
)
def test_wide_greys_have_one_scale(
    tmp_path: Path, low: float, high: float, kind: type[Any], suffix: str
) -> None:
    """The lowest value of the training part is black, the highest white, in every file."""
    values = np.linspace(low, high, 16).astype(kind)
    for part in ("train", "test"):
        write(tmp_path / part, lambda i: Image.fromarray(np.full((3, 4), values[i])), suffix)
    data = opened(tmp_path)
    assert data.info.reading.scale == (values[0], values[-1])
    assert data.info.input_shape == (1, 3, 4)
    steps = (values.astype(float) - low) * (255 / (high - low))
    found = data.test().pixels[:, 0, 0, 0].numpy()
    assert np.abs(found - steps).max() <= 0.51
    assert found[0] == 0
    assert found[-1] == 255


def test_the_test_part_has_no_say_in_the_scale(tmp_path: Path) -> None:
    """Brighter test images are clipped at white."""
    for part, value in (("train", 1000), ("test", 60_000)):
        write(
            tmp_path / part,
            lambda i, value=value: Image.fromarray(np.full((2, 2), value - i, dtype=np.uint16)),  # type: ignore[misc]
        )
    data = opened(tmp_path)
    assert data.info.reading.scale == (985, 1000)
    assert (data.test().pixels == 255).all()


def test_values_that_are_not_finite_are_broken(tmp_path: Path) -> None:
    """A file with a hole in its values is named."""
    for part in ("train", "test"):
        flat = [Image.fromarray(np.full((2, 2), float(i), np.float32)) for i in range(16)]
        write(tmp_path / part, flat.__getitem__, ".tif")
    hole = Image.fromarray(np.full((2, 2), np.nan, np.float32))
    hole.save(tmp_path / "train" / "a" / "0.tif")
    assert "0.tif cannot be read as an image (it has values that are not finite)" in failure(
        f"folder:{tmp_path}"
    )


@pytest.mark.parametrize("mode", ["RGB", "P", "RGBA", "1", "CMYK"])
def test_grey_in_colour_files_is_grey(tmp_path: Path, mode: str) -> None:
    """Where all channels of all files agree there is one channel, with the same values."""
    suffix = ".tif" if mode == "CMYK" else ".png"
    through = "L" if mode == "P" else "RGB"  # Pillow dithers what comes from RGB
    write(tmp_path, lambda i: picture(i).convert(through).convert(mode), suffix)
    found = pixels(tmp_path)
    assert found.shape == (16, 1, 8, 8)
    if mode in ("RGB", "RGBA", "P"):
        drawn = {np.asarray(picture(i)).tobytes() for i in range(16)}
        assert {image.tobytes() for image in found[:, 0]} == drawn


def test_one_coloured_file_makes_colour(tmp_path: Path) -> None:
    """The others are then grey in three channels; asked for grey, all are grey."""
    write(tmp_path, lambda i: picture(i) if i != 3 else picture(i, mode="RGB"))
    assert opened(tmp_path).info.input_shape == (3, 8, 8)
    assert opened(tmp_path, colour=False).info.input_shape == (1, 8, 8)


def test_odd_files_have_the_right_values(tmp_path: Path) -> None:
    """Bits, CMYK photographs, animations and damaged EXIF data are read as pictures."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(8):
            red = Image.new("RGB", (16, 16), (250, 5, 5))
            file = tmp_path / name / f"{i}"
            if i % 4 == 0:
                Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(f"{file}.jpg", quality=100)
            elif i % 4 == 1:
                more = [Image.new("RGB", (16, 16), (0, 0, 250))]
                red.save(f"{file}.gif", save_all=True, append_images=more)
            elif i % 4 == 2:
                red.save(f"{file}.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", quality=100)
            else:
                red.quantize(4).save(f"{file}.bmp")
    found = pixels(tmp_path).astype(int)
    assert found.shape == (16, 3, 16, 16)
    assert (found[:, 0] > 240).all()
    assert (found[:, 1:] < 60).all()


def test_large_photographs_shrink_as_small_ones(tmp_path: Path) -> None:
    """Decoding to a part of the size changes what is seen by no more than resizing does."""
    smooth = picture(1, (6, 4), "RGB").resize((640, 480), Image.Resampling.BICUBIC)
    write(tmp_path, lambda _: smooth, ".jpg")
    wanted = np.asarray(smooth.resize((16, 16), Image.Resampling.BILINEAR)).transpose(2, 0, 1)
    assert np.abs(pixels(tmp_path, image_size=16).astype(int) - wanted).max() <= 8


def test_rectangles_stay_rectangles(tmp_path: Path) -> None:
    """Pictures of sound, 40 x 98, keep their sides."""
    write_classes(tmp_path, {"yes": 8, "no": 8}, size=(98, 40))
    assert opened(tmp_path).info.input_shape == (1, 40, 98)

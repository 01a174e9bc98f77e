from __future__ import annotations

from base64 import b64decode
from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image

from search.pictures.mistakes import mistakes_picture, png_of
from tests.search.pictures.test_svg import SVG
from trainer.data import Images


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_picture_holds_the_pixels(channels: int) -> None:
    """The PNG has the image's own pixels; of channels that no picture has, the first."""
    pixels = torch.randint(0, 256, (channels, 5, 7), dtype=torch.uint8)
    read = np.asarray(Image.open(BytesIO(b64decode(png_of(pixels)))))
    wanted = pixels.permute(1, 2, 0) if channels == 3 else pixels[0]
    assert (read == wanted.numpy()).all()


@pytest.mark.parametrize("wrong", [0, 1, 9, 24, 40])
def test_mistakes_are_shown_with_both_classes(wrong: int) -> None:
    """At most 24 mistakes are shown, each with its class and what it was taken for."""
    labels = torch.zeros(50, dtype=torch.int64)
    classes = labels.clone()
    classes[:wrong] = 1
    if wrong:
        classes[0] = -1
    images = Images(torch.zeros(50, 1, 4, 4, dtype=torch.uint8), labels)
    root = ElementTree.fromstring(mistakes_picture(images, classes, ["<cat>", "dog"]).file_text())
    words = ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]
    shown = min(wrong, 24)
    assert len(list(root.iter(f"{SVG}image"))) == shown
    assert words.count("<cat>") == shown
    assert words.count("→ dog") == max(shown - 1, 0)
    assert words.count("→ nothing") == min(wrong, 1)
    assert ("no mistakes" in words) == (not wrong)


def test_large_images_make_no_large_picture() -> None:
    """Photos are stored no larger than they are shown, so that each trial keeps little."""
    pixels = torch.randint(0, 256, (24, 3, 300, 400), dtype=torch.uint8)
    labels = torch.zeros(24, dtype=torch.int64)
    text = mistakes_picture(Images(pixels, labels), labels + 1, ["a", "b"]).file_text()
    assert len(text) < 2_000_000
    small = Image.open(BytesIO(b64decode(png_of(pixels[0]))))
    assert small.size == (128, 96)

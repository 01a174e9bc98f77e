from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.data import Images, normalisation
from trainer.errors import DataError


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 20))
def test_normalisation(seed: int, channels: int, count: int) -> None:
    """Mean and deviation are those of the pixels scaled to [0, 1], per channel."""
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (count, channels, 3, 4), generator=generator).to(torch.uint8)
    scale = normalisation(Images(pixels, torch.zeros(count, dtype=torch.int64)))
    exact = pixels.to(torch.float64) / 255
    assert scale.mean == pytest.approx(exact.mean(dim=(0, 2, 3)).tolist(), rel=1e-12)
    assert scale.std == pytest.approx(exact.std(dim=(0, 2, 3), correction=0).tolist(), rel=1e-9)


def test_normalisation_without_contrast() -> None:
    """A channel of one value has a deviation that can be divided by; no images are an error."""
    flat = Images(torch.full((4, 1, 2, 2), 9, dtype=torch.uint8), torch.zeros(4).long())
    assert normalisation(flat).std == (1 / 255,)
    with pytest.raises(DataError, match="no images"):
        normalisation(flat.subset(torch.tensor([], dtype=torch.int64)))


def test_images_are_checked() -> None:
    """Tensors of the wrong type, shape or number are refused."""
    pixels, labels = torch.zeros(3, 1, 2, 2, dtype=torch.uint8), torch.arange(3)
    bad: list[tuple[torch.Tensor, torch.Tensor, str]] = [
        (pixels.float(), labels, "pixels must be uint8"),
        (pixels[0], labels, "not uint8 of shape"),
        (pixels, labels.int(), "labels must be int64"),
        (pixels, labels[:2], "3 images have 2 labels"),
        (pixels, labels.to("meta"), "labels on meta"),
    ]
    for pixel, label, message in bad:
        with pytest.raises(DataError, match=message):
            Images(pixel, label)


def test_a_subset_keeps_images_and_labels_together() -> None:
    """A subset has the images at the indices, in their order, and is a copy."""
    pixels = torch.arange(5, dtype=torch.uint8).reshape(5, 1, 1, 1)
    images = Images(pixels, torch.arange(5))
    chosen = images.subset(torch.tensor([3, 0])).to("cpu")
    assert len(chosen) == 2
    assert chosen.pixels.flatten().tolist() == chosen.labels.tolist() == [3, 0]
    chosen.pixels.zero_()
    assert int(images.pixels[3]) == 3

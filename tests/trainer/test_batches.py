from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.trainer.small_networks import digits
from trainer.augment import Affine, Augmenter
from trainer.batches import Batches, batch_bounds, normalise
from trainer.data.images import Images, Normalisation
from trainer.recipe import Recipe

PLAIN = Normalisation(mean=(0.0,), std=(1 / 255,))


def numbered(count: int) -> Images:
    """Images whose pixels and labels say which they are."""
    number = torch.arange(count)
    pixels = torch.stack((number // 256, number % 256), dim=1).to(torch.uint8)
    return Images(pixels.view(count, 1, 1, 2), number)


def numbers(pixels: Tensor) -> Tensor:
    """Which of the numbered images these are."""
    return (pixels[:, 0, 0] * torch.tensor([256.0, 1.0])).sum(dim=1).round().long()


def orders(batches: Batches, epochs: int) -> list[list[int]]:
    """The labels of several epochs, in order."""
    return [[int(label) for _, labels in batches for label in labels] for _ in range(epochs)]


@given(st.integers(1, 500), st.integers(2, 80))
def test_bounds_cut_all_images_and_leave_none_alone(count: int, size: int) -> None:
    """Batches must join without gaps, all be full but the last, and none hold a single image."""
    bounds = batch_bounds(count, size)
    assert bounds[0][0] == 0
    assert bounds[-1][1] == count
    assert all(stop == start for (_, stop), (start, _) in pairwise(bounds))
    sizes = [stop - start for start, stop in bounds]
    assert set(sizes[:-1]) <= {size}
    assert sizes[-1] <= size + 1
    assert count == 1 or min(sizes) >= 2


@settings(max_examples=30)
@given(st.integers(1, 3000), st.integers(2, 1500))
def test_an_epoch_holds_each_image_once_with_its_label(count: int, size: int) -> None:
    """However batches and chunks fall, pixels and labels must stay together and none be lost."""
    batches = Batches(numbered(count), PLAIN, Recipe(batch_size=size))
    seen = []
    for pixels, labels in batches:
        assert torch.equal(numbers(pixels), labels)
        seen.append(labels)
    sizes = [stop - start for start, stop in batch_bounds(count, size)]
    assert [len(labels) for labels in seen] == sizes
    assert len(batches) == len(sizes)
    assert torch.equal(torch.cat(seen).sort().values, torch.arange(count))


def test_a_lone_last_image_joins_the_batch_before() -> None:
    """65 images in batches of 32 must be two batches, of 32 and 33."""
    batches = Batches(numbered(65), PLAIN, Recipe(batch_size=32))
    assert [len(labels) for _, labels in batches] == [32, 33]


@pytest.mark.parametrize("count", [1, 2, 7])
def test_few_images_are_one_batch(count: int) -> None:
    """A data set smaller than a batch must come whole."""
    batches = Batches(numbered(count), PLAIN, Recipe(batch_size=128))
    assert [len(labels) for _, labels in batches] == [count]


def test_the_seed_alone_decides_the_order() -> None:
    """Orders must differ between epochs and seeds, and repeat with the seed alone."""
    images = numbered(50)
    torch.manual_seed(0)
    first = orders(Batches(images, PLAIN, Recipe(seed=1)), 3)
    torch.manual_seed(1)
    assert orders(Batches(images, PLAIN, Recipe(seed=1, optimizer="sgd")), 3) == first
    others = [orders(Batches(images, PLAIN, Recipe(seed=seed)), 3) for seed in (2, 1 + 2**32)]
    assert len({tuple(order) for three in [first, *others] for order in three}) == 9


def test_global_randomness_is_left_alone() -> None:
    """Shuffling and augmentation must not use torch's global generator."""
    training, _, normalisation = digits()
    state = torch.get_rng_state()
    recipe = Recipe(augment=(Affine(degrees=10),))
    assert len(list(Batches(training, normalisation, recipe))) > 1
    assert torch.equal(torch.get_rng_state(), state)


def test_augmentation_comes_before_normalisation() -> None:
    """Each chunk must be the augmented pixels in 0 to 1, normalised."""
    training, _, normalisation = digits()
    recipe = Recipe(batch_size=1024, augment=(Affine(degrees=15, translate=0.1),), seed=4)
    pixels, labels = next(iter(Batches(training, normalisation, recipe)))
    plain = next(iter(Batches(training, normalisation, Recipe(batch_size=1024, seed=4))))
    assert torch.equal(labels, plain[1])
    back = pixels * normalisation.std[0] + normalisation.mean[0]
    assert back.min() > -1e-5
    assert back.max() < 1 + 1e-5
    assert not torch.allclose(pixels, plain[0], atol=0.1)
    assert len(Augmenter(recipe.augment, (1, 8, 8)).steps) == 1


def test_normalised_digits_have_mean_0_and_deviation_1() -> None:
    """The normalisation of a set must make that set standard."""
    training, _, normalisation = digits()
    pixels = normalise(training.pixels.float() / 255, normalisation)
    assert abs(pixels.mean().item()) < 1e-4
    assert abs(pixels.std(correction=0).item() - 1) < 1e-4


def reference(pixels: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Channel by channel."""
    planes = [(pixels[:, c] - mean[c]) / std[c] for c in range(pixels.shape[1])]
    return torch.stack(planes, dim=1)


@settings(max_examples=40)
@given(
    *[st.integers(0, 5)], *[st.integers(1, 5)] * 3, st.sampled_from([torch.float32, torch.float64])
)
def test_normalising_works_by_channel_and_lies_channels_last(
    count: int, channels: int, height: int, width: int, dtype: torch.dtype
) -> None:
    """Values must be those of the formula, strides those of channels-last for any shape."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand((count, channels, height, width), generator=generator, dtype=dtype)
    before = pixels.clone()
    mean = [0.1 * c for c in range(channels)]
    std = [0.2 + 0.1 * c for c in range(channels)]
    made = normalise(pixels, Normalisation(tuple(mean), tuple(std)))
    assert torch.equal(pixels, before)
    assert made.dtype == dtype
    torch.testing.assert_close(made, reference(pixels, mean, std))
    assert made.stride() == (height * width * channels, 1, width * channels, channels)

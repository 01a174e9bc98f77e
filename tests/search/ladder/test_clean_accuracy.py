from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from search.ladder.clean_accuracy import clean_accuracy, clean_part
from search.workers.data import DataSplit
from trainer.data import Images, Normalisation
from trainer.recipe import Recipe


def images(labels: list[int]) -> Images:
    """Images of one pixel, each of which says which one it is."""
    return Images(
        torch.arange(len(labels), dtype=torch.uint8).reshape(-1, 1, 1, 1), torch.tensor(labels)
    )


@settings(max_examples=50)
@given(counts=st.lists(st.integers(1, 80), min_size=2, max_size=3), like=st.integers(1, 300))
def test_the_part_is_stratified_and_about_as_large_as_the_test(
    counts: list[int], like: int
) -> None:
    """It holds every class in its proportion, and about as many images as asked for, or all."""
    labels = [label for label, count in enumerate(counts) for _ in range(count)]
    training = images(labels)
    part = clean_part(training, like, [str(label) for label in range(len(counts))])
    share = len(part) / len(training)
    for label, count in enumerate(counts):
        chosen = int((part.labels == label).sum())
        assert chosen >= 1
        assert abs(chosen - share * count) <= 1
    numbers = part.pixels.flatten().tolist()
    assert sorted(set(numbers)) == numbers
    assert [labels[number] for number in numbers] == part.labels.tolist()
    assert clean_part(training, like, ["a"] * len(counts)).pixels.equal(part.pixels)
    if min(counts) >= round(len(training) / like):
        assert len(part) == -(-len(training) // max(1, round(len(training) / like)))


class ByMode(nn.Module):
    """A network that is right in evaluation mode alone, on pixels that the recipe normalises."""

    def forward(self, pixels: Tensor) -> Tensor:
        right = pixels.flatten() > 0
        return torch.stack([~right, right] if not self.training else [right, ~right], 1).float()


def test_it_is_measured_in_evaluation_mode_with_the_recipes_normalisation() -> None:
    """The network is in evaluation mode, and pixels are normalised as in its training."""
    pixels = torch.tensor([100, 200], dtype=torch.uint8).reshape(2, 1, 1, 1)
    shown = Images(pixels, torch.tensor([0, 1]))
    data = DataSplit(shown, shown, Normalisation((0.6,), (0.1,)))
    network = ByMode().train()
    assert clean_accuracy(network, shown, data, Recipe()) == 1.0
    assert network.training
    assert clean_accuracy(network, shown, data, Recipe(normalise=False)) == 0.5

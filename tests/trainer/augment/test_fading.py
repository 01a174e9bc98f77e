from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.augment import Affine, Augmenter, AugmentStep, Cutout, Elastic
from trainer.batches import Batches
from trainer.data import Images, Normalisation
from trainer.recipe import Recipe


def generator(seed: int = 0) -> torch.Generator:
    """A fresh one."""
    return torch.Generator().manual_seed(seed)


@settings(max_examples=20)
@given(st.integers(1, 12), st.floats(0, 1), st.integers(4, 20), st.integers(4, 20))
def test_cutout_hides_one_square(size: int, probability: float, height: int, width: int) -> None:
    """At most so many rows and columns show the fill, all others the image; as often as asked."""
    step = Cutout(size=size, probability=probability, fill=255)
    changed = Augmenter([step], (1, height, width))(torch.zeros(400, 1, height, width), generator())
    assert set(changed.unique().tolist()) <= {0.0, 1.0}
    rows, columns = changed.amax(3)[:, 0].sum(1), changed.amax(2)[:, 0].sum(1)
    assert torch.equal(changed.sum((1, 2, 3)), rows * columns)
    assert rows.max() <= size
    assert columns.max() <= size
    share = float((rows > 0).float().mean())
    assert share <= probability + 0.15
    if size > 1:
        assert share >= probability - 0.15


def test_elastic_moves_no_pixel_further_than_it_may() -> None:
    """A ramp shows where each pixel comes from; neighbours move nearly alike, images differently.

    Between knots a bicubic curve may leave their range, by 1.375 times along each axis.
    """
    ramp = torch.arange(28.0).expand(28, 28) / 27
    pixels = ramp.expand(50, 1, 28, 28)
    step = Elastic(pixels=2, knots=5)
    moved = 27 * (Augmenter([step], (1, 28, 28))(pixels, generator()) - pixels)[..., 4:-4, 4:-4]
    assert 1 < moved.abs().max() <= 2 * 1.375**2
    assert moved.diff(dim=-1).abs().max() < 1.6
    assert moved.std(0).min() > 0.3
    assert abs(float(moved.mean())) < 0.2


@pytest.mark.parametrize("step", [Cutout(size=0), Cutout(size=4, probability=0), Elastic()])
def test_nothing_is_no_step(step: AugmentStep) -> None:
    """Without strength images stay what they are, and nothing is drawn."""
    pixels = torch.rand(3, 1, 8, 8)
    assert Augmenter([step], (1, 8, 8))(pixels, generator()) is pixels


def test_steps_fade_to_nothing_in_the_middle_of_the_last_epochs() -> None:
    """Full strength up to there, then a straight line; a step without fade never changes."""
    full = Cutout(size=8, fade=0.4)
    sizes = [full.at(epoch / 10).size for epoch in range(11)]  # type: ignore[attr-defined]
    assert sizes == pytest.approx([8] * 7 + [4] + [0] * 3)
    assert Elastic(pixels=3, fade=1).at(0.25) == Elastic(pixels=1.5, fade=1)
    for step in (Cutout(size=8), Elastic(pixels=3), Affine(degrees=4)):
        assert step.at(1.0) == step


def test_the_batches_of_the_last_epochs_are_not_augmented() -> None:
    """The first epoch hides pixels, the last one none, and the same seed gives the same."""
    white = Images(torch.full((40, 1, 8, 8), 255, dtype=torch.uint8), torch.zeros(40).long())
    recipe = Recipe(epochs=5, batch_size=20, augment=(Cutout(size=4, fade=0.5),))
    normalisation = Normalisation.identity(1)

    def hidden() -> list[float]:
        batches = Batches(white, normalisation, recipe)
        return [sum(float((pixels == 0).sum()) for pixels, _ in batches) for _ in range(5)]

    first = hidden()
    assert first == hidden()
    assert min(first[:3]) > 200
    assert first[3:] == [0.0, 0.0]

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.data.splits import (
    LEAST_WITHOUT_TEST,
    TEST_PARTS,
    VALIDATION_PARTS,
    stratified_split,
)
from trainer.errors import DataError


@settings(max_examples=60)
@given(counts=st.lists(st.integers(LEAST_WITHOUT_TEST, 40), min_size=2, max_size=12))
def test_splits_are_stratified(counts: list[int]) -> None:
    """Both sides of each split have every class in its share, no image twice, none lost."""
    classes = [str(i) for i in range(len(counts))]
    labels = torch.tensor([i for i, count in enumerate(counts) for _ in range(count)])
    for parts in (TEST_PARTS, VALIDATION_PARTS):
        keep, aside = stratified_split(labels, parts, classes)
        assert torch.equal(torch.cat((keep, aside)).sort().values, torch.arange(len(labels)))
        assert len(aside) == -(-len(labels) // parts)
        before, after = labels.bincount(), labels[aside].bincount(minlength=len(counts))
        assert bool(((after - before * len(aside) / len(labels)).abs() < 1).all())
        assert bool((after > 0).all())
        assert bool((after < before).all())
        labels = labels[keep]


def test_a_class_too_small_to_split_is_named() -> None:
    """A class with fewer images than parts is refused by its name and number."""
    labels = torch.tensor([0] * 20 + [1] * 5)
    with pytest.raises(DataError, match="class 'dog' has 5 images, but splitting needs at least 6"):
        stratified_split(labels, VALIDATION_PARTS, ("cat", "dog"))

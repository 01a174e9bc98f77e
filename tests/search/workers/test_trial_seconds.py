from __future__ import annotations

import dataclasses
import time

import pytest
import torch

from search.spec.candidate import Candidate
from search.workers.trial_seconds import trial_seconds
from space.architecture import Architecture
from trainer.recipe import Recipe

CPU = torch.device("cpu")
SMALL = Architecture.parse("conv3 4 bn relu\ngap\nlinear 10", input_shape=(1, 8, 8))
LARGE = Architecture.parse(
    "conv3 16 pad1 bn relu\nconv3 32 pad1 bn relu\ngap\nlinear 10", input_shape=(1, 28, 28)
)


def test_a_trial_is_estimated_by_a_little_training() -> None:
    """The estimate follows epochs and images, is larger for a larger network, and is quick."""
    recipe = Recipe(epochs=10, batch_size=64)
    started = time.perf_counter()
    small = trial_seconds(Candidate(SMALL, recipe), CPU, 10, 10_000)
    large = trial_seconds(Candidate(LARGE, recipe), CPU, 10, 10_000)
    assert time.perf_counter() - started < 60
    assert 0 < small < large
    longer = trial_seconds(
        Candidate(LARGE, dataclasses.replace(recipe, epochs=100)), CPU, 10, 100_000
    )
    assert longer == pytest.approx(100 * large, rel=0.9)


def test_an_estimate_leaves_no_trace() -> None:
    """Random numbers and threads of the process are what they were."""
    threads = torch.get_num_threads()
    torch.manual_seed(3)
    wanted = torch.rand(2)
    torch.manual_seed(3)
    trial_seconds(Candidate(SMALL, Recipe(batch_size=16)), CPU, 10, 100)
    assert torch.equal(torch.rand(2), wanted)
    assert torch.get_num_threads() == threads

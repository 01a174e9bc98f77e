from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search.deployed.floating import run_floats
from search.deployed.folding import FoldedNetwork, fold
from search.deployed.integer import run_integers
from search.deployed.quantise import Scaling, quantise
from space.architecture import Architecture
from space.errors import NotDeployable
from tests.search.trained_networks import trained_network


def folded(lines: list[str], shape: tuple[int, int, int]) -> FoldedNetwork:
    """Return a small network with weights."""
    trained = trained_network(Architecture.parse(lines, shape))
    return fold(trained.architecture, trained.weights, trained.normalisation)


@pytest.mark.parametrize(
    "lines",
    [
        ["conv3 8 pad1 bn relu", "maxpool2", "conv3 12 relu bn", "gap", "linear 10"],
        ["separable5 8 pad2 bn hardswish", "avgpool2", "conv3 8 pad1 skip relu", "linear 10"],
        ["conv3 8 pad1 gn4 silu", "conv3 8 pad1 ln relu bn skip", "gap", "conv1 10"],
        ["depthwise3 pad1 bias bn", "prelu", "conv1 6 tanh bn", "again2 norms", "linear 10"],
    ],
)
def test_whole_numbers_come_near_to_floats(lines: list[str]) -> None:
    """The logits differ from those in floats by a few steps of their scale, and are in order."""
    torch.manual_seed(0)
    if "again2 norms" in lines:
        lines = ["conv1 3", "depthwise3 pad1 bias bn", "conv1 3 tanh bn", "again2 norms", lines[-1]]
    network = folded(lines, (3, 12, 12))
    images = torch.randint(0, 256, (64, 3, 12, 12), dtype=torch.uint8)
    quantised = quantise(network, images)
    floats = run_floats(network, images / 255.0)
    wholes = quantised.scalings[quantised.deployed.logits].value(run_integers(quantised, images))
    spread = float(floats.std())
    assert float((wholes - floats).square().mean().sqrt()) < 0.1 * spread
    assert torch.corrcoef(torch.stack([wholes.flatten(), floats.flatten()]))[0, 1] > 0.99


@settings(max_examples=200)
@given(
    st.floats(-100, 100), st.floats(0.01, 200), st.lists(st.floats(0, 1), min_size=1, max_size=20)
)
def test_scalings(low: float, width: float, shares: list[float]) -> None:
    """A value within the range of a scaling comes back within half a step, and 0 exactly."""
    high = max(0.0, low + width)
    low = min(0.0, low)
    scale = (high - low) / 255 or 1.0
    scaling = Scaling(scale, round(-128 - low / scale))
    values = torch.tensor([low + share * (high - low) for share in shares], dtype=torch.float64)
    back = scaling.value(scaling.quantised(values))
    assert float((back - values).abs().max()) <= scale * 1.001
    assert float(scaling.value(scaling.quantised(torch.zeros(1)))) == 0.0
    assert math.isfinite(scaling.scale)


def test_maps_that_never_change() -> None:
    """A network whose maps are constant, or whose weights are all 0, can be quantised."""
    network = folded(["conv3 4 relu", "conv1 4 bias relu", "gap", "linear 2"], (1, 6, 6))
    for arrays in network.arrays:
        if arrays.weight is not None:
            arrays.weight.zero_()
    images = torch.zeros(2, 1, 6, 6, dtype=torch.uint8)
    quantised = quantise(network, images)
    floats = run_floats(network, images / 255.0)
    wholes = quantised.scalings[quantised.deployed.logits].value(run_integers(quantised, images))
    torch.testing.assert_close(wholes, floats, atol=0.02, rtol=0.02)


def test_too_many_products_are_refused() -> None:
    """A layer whose sums do not fit 32 bits is named."""
    network = folded(["linear 2"], (8, 100, 100))
    with pytest.raises(NotDeployable, match='"linear 2" adds 80,000 products'):
        quantise(network, torch.zeros(1, 8, 100, 100, dtype=torch.uint8))

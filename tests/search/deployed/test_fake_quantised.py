from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given, settings
from torch import Tensor

from search.deployed.fake_quantised import run_fake_quantised
from search.deployed.floating import run_floats
from search.deployed.folding import FoldedNetwork, fold, fold_module
from search.deployed.integer import run_integers
from search.deployed.quantise import QuantisedNetwork, quantise
from space.architecture import Architecture
from space.deployed.kernels import GroupNormalise
from space.deployed.lowering import lower
from space.errors import NotDeployable
from space.network import build_with
from tests.search.trained_networks import trained_network
from tests.space.strategies import BLOCKS, architectures

pytestmark = pytest.mark.usefixtures("one_thread")

GROUP_NORMS = Architecture.parse(
    ["conv3 8 pad1 gn4 silu", "maxpool2", "conv3 8 pad1 ln relu bn skip", "gap", "conv1 10"],
    (3, 12, 12),
)
ACTIVATIONS = Architecture.parse(
    ["conv3 6 pad1 bn silu", "conv3 6 tanh", "conv3 6 bn hardswish bn", "conv6 8 prelu"],
    (3, 10, 10),
)


def pixels_for(architecture: Architecture, count: int) -> Tensor:
    """Return images of noise."""
    generator = torch.Generator().manual_seed(1)
    shape = (count, *architecture.input_shape)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def steps_apart(network: FoldedNetwork, ranges: QuantisedNetwork, pixels: Tensor) -> Tensor:
    """Return how many steps the logits are away from those of the whole numbers."""
    scaling = ranges.scalings[ranges.deployed.logits]
    found = run_fake_quantised(network, ranges, pixels / 255.0) / scaling.scale + scaling.zero
    return (found - run_integers(ranges, pixels)).abs()


@settings(max_examples=40)
@given(architectures())
def test_it_computes_what_the_whole_numbers_do(architecture: Architecture) -> None:
    """In double precision the logits are those of the reference, whatever the words.

    Both choose one of the same steps, so that they differ by whole steps or by the rounding of a
    double, far below a millionth of a step. By whole steps only where a value lies just between two
    of them, as means of four pixels may. ``gn`` and ``ln`` are apart, whose square roots the
    reference takes in whole numbers.
    """
    torch.manual_seed(0)
    trained = trained_network(architecture)
    network = fold(architecture, trained.weights, trained.normalisation)
    assume(not any(isinstance(kernel, GroupNormalise) for kernel in network.deployed.kernels))
    pixels = pixels_for(architecture, 4)
    try:
        ranges = quantise(network, pixels)
    except NotDeployable:
        assume(False)
    apart = steps_apart(network, ranges, pixels)
    assert float((apart > 1e-6).double().mean()) < 0.5
    assert float(apart.max()) < 2.5


@pytest.mark.parametrize("architecture", [BLOCKS, ACTIVATIONS], ids=["blocks", "activations"])
def test_long_skips_and_activations(architecture: Architecture) -> None:
    """The same holds where lines are applied again, and for activations within a layer."""
    torch.manual_seed(0)
    trained = trained_network(architecture)
    network = fold(architecture, trained.weights, trained.normalisation)
    pixels = pixels_for(architecture, 4)
    assert float(steps_apart(network, quantise(network, pixels), pixels).max()) < 1e-6


@pytest.mark.parametrize("architecture", [GROUP_NORMS, BLOCKS], ids=["norms of groups", "single"])
def test_what_floats_cannot_say_exactly(architecture: Architecture) -> None:
    """Norms of groups and single precision move logits by less than their own rounding.

    A value of a map that lies in the middle of two steps is rounded to the other one, and a mean
    may turn that into a step of its own. A step is no more than two away, and on average less than
    the half that rounding costs.
    """
    torch.manual_seed(0)
    trained = trained_network(architecture)
    network = fold(architecture, trained.weights, trained.normalisation)
    pixels = pixels_for(architecture, 24)
    ranges = quantise(network, pixels)
    apart = steps_apart(network.to(torch.zeros(1)), ranges, pixels)
    assert float(apart.max()) < 2.5
    assert float(apart.mean()) < 0.5


@pytest.mark.parametrize("architecture", [GROUP_NORMS, BLOCKS], ids=["norms of groups", "blocks"])
def test_gradients_pass_through_rounding(architecture: Architecture) -> None:
    """Every parameter gets a gradient, and all together point where those in floats do.

    They are not equal, for maps are cut off and maxima lie elsewhere; of no use would be a cosine
    near 0.
    """
    torch.manual_seed(0)
    trained = trained_network(architecture)
    network = build_with(architecture, trained.weights).double()
    deployed = lower(architecture)
    images = pixels_for(architecture, 24) / 255.0
    labels = torch.arange(24) % architecture.classes
    with torch.no_grad():
        folded = fold_module(network, deployed, trained.normalisation)
        ranges = quantise(folded, pixels_for(architecture, 24))

    def gradients(*, rounded: bool) -> list[Tensor]:
        folded = fold_module(network, deployed, trained.normalisation)
        logits = (
            run_fake_quantised(folded, ranges, images) if rounded else run_floats(folded, images)
        )
        loss = torch.nn.functional.cross_entropy(logits, labels)
        return list(torch.autograd.grad(loss, list(network.parameters())))

    wanted, found = gradients(rounded=False), gradients(rounded=True)
    assert all(bool(each.any()) for each in found)
    flat = [torch.cat([each.flatten() for each in some]) for some in (wanted, found)]
    assert float(torch.cosine_similarity(*flat, dim=0)) > 0.7

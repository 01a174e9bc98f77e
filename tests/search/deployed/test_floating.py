from __future__ import annotations

import torch
from hypothesis import given, settings

from search.deployed.floating import run_floats
from search.deployed.folding import fold
from space.architecture import Architecture
from space.network import build
from tests.search.trained_networks import trained_network
from tests.space.strategies import BLOCKS, architectures
from trainer.batches import normalise


def check(architecture: Architecture) -> None:
    """Compare the folded network with the trained one, both in double precision."""
    trained = trained_network(architecture)
    network = build(architecture)
    network.load_state_dict(trained.weights)
    images = torch.rand(3, *architecture.input_shape, dtype=torch.float64)
    with torch.inference_mode():
        wanted = network.double().eval()(normalise(images, trained.normalisation))
        folded = fold(architecture, trained.weights, trained.normalisation)
        torch.testing.assert_close(run_floats(folded, images), wanted, atol=1e-7, rtol=1e-7)


@settings(max_examples=40)
@given(architectures())
def test_folding_changes_nothing(architecture: Architecture) -> None:
    """A folded network gives the logits of the trained one, whatever its words."""
    check(architecture)


def test_folding_of_shared_lines() -> None:
    """The same holds where lines are applied again, with norms of their own."""
    check(BLOCKS)

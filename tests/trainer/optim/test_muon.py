from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer.small_networks import convolutional
from trainer.optim.muon import Muon, orthogonalised
from trainer.weights import FlatWeights


@settings(max_examples=50)
@given(st.integers(1, 6), st.integers(0, 6), st.integers(0, 2**31), st.floats(1e-3, 1e3))
def test_matrices_become_nearly_orthogonal(rows: int, more: int, seed: int, scale: float) -> None:
    """The singular vectors stay, and singular values that are not tiny come near 1."""
    draw = torch.Generator().manual_seed(seed)
    batch = scale * torch.randn(3, rows, rows + more, dtype=torch.double, generator=draw)
    left, values, right = torch.linalg.svd(batch, full_matrices=False)
    found = left.mT @ orthogonalised(batch) @ right.mT
    diagonal = found.diagonal(dim1=1, dim2=2)
    torch.testing.assert_close(found, torch.diag_embed(diagonal), atol=1e-8, rtol=0)
    large = values / batch.norm(dim=(1, 2)).unsqueeze(1) > 0.02
    assert bool(((diagonal > 0.6) & (diagonal < 1.3))[large].all())


def test_zeros_around_a_matrix_change_nothing() -> None:
    """Matrices of several sizes are orthogonalised in one batch as each of them alone."""
    matrix = torch.randn(3, 5, dtype=torch.double, generator=torch.Generator().manual_seed(1))
    padded = torch.zeros(2, 4, 9, dtype=torch.double)
    padded[0, :3, :5] = matrix
    found = orthogonalised(padded)
    torch.testing.assert_close(found[0, :3, :5], orthogonalised(matrix[None])[0])
    assert float(found[0, 3:].abs().sum()) == float(found[0, :, 5:].abs().sum()) == 0
    assert float(found[1].abs().sum()) == 0


def test_places_of_filters() -> None:
    """The places name each convolution's weights in the vector, filter by filter."""
    network = convolutional()
    weights = FlatWeights(network)
    filters = [p for p in network.parameters() if p.dim() == 4]
    places = weights.filter_matrices()
    assert len(places) == len(filters)
    for each, weight in zip(places, filters, strict=True):
        torch.testing.assert_close(weights.vector.detach()[each], weight.detach().flatten(1))


@pytest.mark.parametrize("shape", [(4, 9), (9, 4), (1, 9)])
def test_a_matrix_moves_about_as_far_as_by_adam(shape: tuple[int, int]) -> None:
    """The root mean square of a first move is about a fifth of the learning rate."""
    count = shape[0] * shape[1]
    vector = torch.zeros(count + 2, requires_grad=True)
    vector.grad = torch.randn(count + 2, generator=torch.Generator().manual_seed(0))
    places = torch.arange(count).view(shape)
    Muon(vector, [places], lr=0.1, momentum=0.9, weight_decay=0.0).step()
    moved = vector.detach()
    assert float(moved[:count].square().mean().sqrt()) == pytest.approx(0.02, rel=0.35)
    torch.testing.assert_close(moved[count:], -0.1 * vector.grad[count:].sign())

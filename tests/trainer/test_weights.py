from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.trainer.small_networks import Sharing, assert_same_state, cloned_state, convolutional
from trainer import weights as weights_module
from trainer.errors import TrainerError
from trainer.weights import AveragedWeights, FlatWeights, flatten, unflatten

shapes = st.lists(st.lists(st.integers(0, 4), max_size=5).map(tuple), min_size=1, max_size=5)


def noise(shape: tuple[int, ...], seed: int) -> Tensor:
    """Numbers that the seed alone decides."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(params=["as on a CPU", "as on a GPU"])
def numbers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many numbers lie between two places where a tensor may begin."""
    if request.param == "as on a CPU":
        return 1
    monkeypatch.setattr(weights_module, "_UNALIGNED_DEVICES", frozenset())
    return 4


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some=shapes)
def test_tensors_become_views_of_one_vector(numbers: int, some: list[tuple[int, ...]]) -> None:
    """Values and shapes must stay, every part be aligned, and follow what happens to the vector."""
    tensors = [noise(shape, index) for index, shape in enumerate(some)]
    before = [tensor.clone() for tensor in tensors]
    flat = flatten(tensors)
    assert flat.shape == (sum(-(-tensor.numel() // numbers) * numbers for tensor in before),)
    assert all(tensor.data_ptr() % (4 * numbers) == 0 for tensor in tensors if tensor.numel())
    assert flat.count_nonzero() == sum(int(tensor.count_nonzero()) for tensor in before)
    assert all(map(torch.equal, tensors, before))
    flat.mul_(2)
    assert all(torch.equal(one, 2 * other) for one, other in zip(tensors, before, strict=True))


@given(shapes)
def test_unflattened_tensors_own_contiguous_memory(some: list[tuple[int, ...]]) -> None:
    """Values must stay, the vector must have no hold on them any more."""
    tensors = [noise(shape, index) for index, shape in enumerate(some)]
    before = [tensor.clone() for tensor in tensors]
    flat = flatten(tensors)
    unflatten(tensors)
    flat.zero_()
    assert all(map(torch.equal, tensors, before))
    assert all(tensor.is_contiguous() for tensor in tensors)


def test_convolution_weights_lie_channels_last() -> None:
    """The order in memory must be the one that makes convolutions fast."""
    weight = noise((8, 4, 3, 3), 0)
    flatten([weight])
    assert weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.usefixtures("numbers")
def test_a_flat_network_computes_what_it_did() -> None:
    """Moving the numbers must not change the parameters nor what is made of them."""
    network, pixels = convolutional().eval(), noise((5, 1, 8, 8), 1)
    before, state, named = network(pixels), cloned_state(network), dict(network.named_parameters())
    weights = FlatWeights(network)
    torch.testing.assert_close(network(pixels), before)
    assert_same_state(cloned_state(network), state)
    assert all(one is two for one, two in zip(weights.parameters, named.values(), strict=True))


def test_shared_parameters_stand_once_and_frozen_ones_not_at_all() -> None:
    """The vector must hold each trainable parameter exactly once, and training touch no other."""
    network = Sharing()
    frozen = network.frozen.weight.clone()
    weights = FlatWeights(network)
    trainable = [p for p in network.parameters() if p.requires_grad]
    assert weights.vector.count_nonzero() == sum(int(p.count_nonzero()) for p in trainable)
    assert network.same.weight is network.again.weight
    with torch.no_grad():
        weights.vector.zero_()
    assert not any(bool(p.any()) for p in trainable)
    assert torch.equal(network.frozen.weight, frozen)


@pytest.mark.usefixtures("numbers")
def test_gradients_lie_like_the_parameters() -> None:
    """A step along the flat gradient must move each parameter along its own."""
    network = convolutional()
    weights = FlatWeights(network)
    before = [p.detach().clone() for p in weights.parameters]
    gradients = [noise(tuple(p.shape), index) for index, p in enumerate(before)]
    weights.set_gradient(gradients)
    assert weights.vector.grad is not None
    assert weights.vector.grad.count_nonzero() == sum(map(torch.count_nonzero, gradients))
    with torch.no_grad():
        weights.vector -= weights.vector.grad
    for now, old, gradient in zip(weights.parameters, before, gradients, strict=True):
        assert torch.equal(now, old - gradient)


@pytest.mark.parametrize(
    "make",
    [lambda: nn.Flatten(), lambda: nn.Linear(2, 2).requires_grad_(False)],
    ids=["none", "frozen"],
)
def test_nothing_to_train_is_said(make: Callable[[], nn.Module]) -> None:
    """A network without trainable parameters must be refused with a sentence of ours."""
    with pytest.raises(TrainerError, match="no trainable parameters"):
        FlatWeights(make())


def wander(network: nn.Module, seed: int) -> None:
    """Gives every floating number of the network a new value, every whole one 1 more."""
    with torch.no_grad():
        for index, tensor in enumerate(network.state_dict().values()):
            if tensor.is_floating_point():
                tensor.add_(noise(tuple(tensor.shape), 1000 * seed + index))
            else:
                tensor.add_(1)


@settings(max_examples=20)
@given(st.floats(0, 0.9999), st.integers(0, 25))
def test_the_average_follows_its_formula(decay: float, updates: int) -> None:
    """Weights and BatchNorm statistics must decay by min(d, (1 + t) / (10 + t)), counts not."""
    network = convolutional()
    wanted = {name: tensor.double() for name, tensor in network.state_dict().items()}
    average = AveragedWeights(FlatWeights(network), network, decay)
    for t in range(updates):
        wander(network, t)
        average.update()
        share = min(decay, (1 + t) / (10 + t))
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point():
                wanted[name] = share * wanted[name] + (1 - share) * tensor.double()
            else:
                wanted[name] = tensor.double()
    average.swap()
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(tensor.double(), wanted[name], atol=1e-5, rtol=1e-5)
    assert int(network.state_dict()["1.num_batches_tracked"]) == updates


@settings(max_examples=20)
@given(st.floats(0.01, 1), st.sampled_from([0.0, 0.5, 0.9]), st.integers(1, 25))
def test_a_share_lets_the_average_reach_further_back(
    share: float, decay: float, updates: int
) -> None:
    """The decay must be s t / (1 + s t), at most the given one where that is not 0."""
    network = nn.Linear(3, 2)
    average = AveragedWeights(FlatWeights(network), network, decay, share)
    wanted = torch.zeros(2, 3, dtype=torch.float64)
    for t in range(updates):
        wander(network, t)
        average.update()
        kept = min(decay or 1.0, share * t / (1 + share * t))
        wanted = kept * wanted + (1 - kept) * network.weight.data.double()
    average.swap()
    torch.testing.assert_close(network.weight.data.double(), wanted, atol=1e-5, rtol=1e-5)


def test_swapping_twice_is_no_change() -> None:
    """The live numbers must come back to the last bit, and so must the averaged ones."""
    network = convolutional()
    average = AveragedWeights(FlatWeights(network), network, 0.9)
    wander(network, 1)
    average.update()
    live = cloned_state(network)
    average.swap()
    averaged = cloned_state(network)
    assert not torch.equal(averaged["0.weight"], live["0.weight"])
    assert not torch.equal(averaged["1.running_mean"], live["1.running_mean"])
    average.swap()
    assert_same_state(cloned_state(network), live)
    average.swap()
    assert_same_state(cloned_state(network), averaged)


def test_a_network_without_buffers_is_averaged_too() -> None:
    """BatchNorm is no condition."""
    network = nn.Linear(3, 2)
    start = copy.deepcopy(network.weight.data)
    average = AveragedWeights(FlatWeights(network), network, 0.5)
    with torch.no_grad():
        network.weight.add_(1)
    average.update()
    average.swap()
    torch.testing.assert_close(network.weight.data, start + 0.9)

from __future__ import annotations

import copy
import itertools

import pytest
import torch
from torch import Tensor, nn

from tests.trainer.drawn_networks import noise
from trainer.native.network import CompiledNetwork
from trainer.weights import FlatWeights

SHAPE = (2, 8, 16)
FEATURES = 256


def showing(*modules: nn.Module, features: int = FEATURES) -> nn.Sequential:
    """Modules whose last map becomes the logits, number for number."""
    show = nn.Linear(features, features, bias=False)
    nn.init.eye_(show.weight)
    return nn.Sequential(*modules, nn.Flatten(), show.requires_grad_(False))


def compiled(
    network: nn.Module, shape: tuple[int, int, int] = SHAPE, images: int = 200
) -> tuple[CompiledNetwork, dict[str, Tensor]]:
    """The network by the kernels, and its gradients by the parameters' names."""
    # Something must be trainable.
    network.register_parameter("spare", nn.Parameter(torch.zeros(1)))
    gradients = FlatWeights(network).make_gradient()
    named = {
        name: gradients[p]
        for name, p in network.named_parameters()
        if p.requires_grad and name != "spare"
    }
    return CompiledNetwork(network, shape, gradients, images, 1), named


def mask(rate: float, seed: int, images: int = 200, *before: nn.Module) -> Tensor:
    """Which of the values (images, features) are kept."""
    made, _ = compiled(showing(*before, nn.Dropout(rate)))
    return made.forward(torch.ones(images, *SHAPE), seed) != 0


def assert_unrelated(first: Tensor, second: Tensor) -> None:
    """Rows of bits with an even chance must agree in about half of their places, pair by pair."""
    places = first.shape[1]
    agreed = (first.float() @ second.float().T) + ((~first).float() @ (~second).float().T)
    if first is second:
        agreed.fill_diagonal_(places / 2)
    # Six deviations of a fair coin's sum.
    assert float((agreed - places / 2).abs().max()) <= 3 * places**0.5


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3, 0.5, 0.9])
def test_the_share_dropped_is_the_rate(rate: float) -> None:
    """About that share must be zero, and what is kept be scaled to make up for it."""
    made, _ = compiled(showing(nn.Dropout(rate)))
    given = made.forward(torch.full((200, *SHAPE), 3.0), 1)
    values = 200 * FEATURES
    share = int((given == 0).sum()) / values
    assert abs(share - rate) < 5 * (rate * (1 - rate) / values) ** 0.5
    torch.testing.assert_close(given[given != 0].unique(), torch.tensor([3 / (1 - rate)]))


def test_the_seed_decides() -> None:
    """The same seed must drop the same, whatever came before, and another seed others."""
    made, _ = compiled(showing(nn.Dropout(0.5)))
    ones = torch.ones(40, *SHAPE)
    first, other, again = (made.forward(ones, seed) != 0 for seed in (1, 2**64 - 1, 1))
    assert torch.equal(first, again)
    assert_unrelated(first, other)


def test_each_image_has_a_draw_of_its_own() -> None:
    """No two images of a batch may share what is dropped, nor two places of all images."""
    kept = mask(0.5, 3)
    assert_unrelated(kept, kept)
    columns = kept.T.contiguous()
    assert_unrelated(columns, columns)


@pytest.mark.parametrize("step", [1, 0x9E3779B97F4A7C15])
def test_seeds_and_layers_draw_apart(step: int) -> None:
    """Neighbouring seeds and two layers of one network must drop unrelated values."""
    here = mask(0.5, 4)
    assert_unrelated(here, mask(0.5, 4 + step))
    assert_unrelated(here, mask(0.5, 4, 200, nn.MaxPool2d(1)))


def test_inference_drops_nothing() -> None:
    """In inference values must pass as they are."""
    made, _ = compiled(showing(nn.Dropout(0.5)))
    pixels = noise((40, *SHAPE), 1)
    assert torch.equal(made.infer(pixels), pixels.flatten(1))


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_whole_channels_are_dropped(rate: float) -> None:
    """Dropout2d must drop or keep all pixels of a channel of an image, about that share of them."""
    made, _ = compiled(showing(nn.Dropout2d(rate)))
    given = made.forward(torch.full((200, *SHAPE), 3.0), 1).view(200, *SHAPE)
    kept = given != 0
    assert torch.equal(kept.all((2, 3)), kept.any((2, 3)))
    torch.testing.assert_close(given[kept].unique(), torch.tensor([3 / (1 - rate)]))
    dropped, channels = int((~kept[:, :, 0, 0]).sum()), 200 * SHAPE[0]
    assert abs(dropped / channels - rate) < 5 * (rate * (1 - rate) / channels) ** 0.5
    assert torch.equal(made.infer(torch.ones(7, *SHAPE)), torch.ones(7, FEATURES))


def test_each_channel_of_an_image_has_a_draw_of_its_own() -> None:
    """No two images may share which channels are dropped, nor two channels of all images."""
    shape, show = (64, 1, 1), showing(nn.Dropout2d(0.5), features=64)
    made, _ = compiled(show, shape)
    kept = made.forward(torch.ones(200, *shape), 3) != 0
    assert_unrelated(kept, kept)
    columns = kept.T.contiguous()
    assert_unrelated(columns, columns)


class Masked(nn.Module):
    """Drops what it is told to."""

    def __init__(self, kept: Tensor, rate: float) -> None:
        super().__init__()
        self.factor = kept.double() / (1 - rate)

    def forward(self, maps: Tensor) -> Tensor:
        """Multiplies by 0 or by what makes up for it."""
        return maps * self.factor


BEFORE = {
    "bare": [],
    "relu": [nn.ReLU()],
    "silu": [nn.SiLU()],
    "norm": [nn.BatchNorm2d(4)],
    "norm, hardswish": [nn.BatchNorm2d(4), nn.Hardswish()],
    "leakyrelu, norm": [nn.LeakyReLU(), nn.BatchNorm2d(4)],
    "norm, activation, pool": [nn.BatchNorm2d(4), nn.SiLU(), nn.MaxPool2d(1)],
}


@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)
@pytest.mark.parametrize("after", [[], [nn.BatchNorm2d(4)]], ids=["last", "norm after"])
@pytest.mark.parametrize("drops", [nn.Dropout, nn.Dropout2d])
def test_backward_knows_what_was_dropped(
    before: list[nn.Module], after: list[nn.Module], drops: type[nn.Module]
) -> None:
    """The gradients must be those of autograd with the very mask of forward."""
    torch.manual_seed(0)
    modules = [nn.Conv2d(2, 4, 3, padding=1), *copy.deepcopy(before), drops(p=0.4)]
    network = showing(*modules, *copy.deepcopy(after), features=4 * 5 * 6)
    exact = copy.deepcopy(network).double()
    made, gradients = compiled(network, (2, 5, 6))
    pixels, upstream = noise((37, 2, 5, 6), 1), noise((37, 120), 2)
    logits = made.forward(pixels, 7)
    made.backward(upstream)
    # All that are dropped are equal in a channel, also behind a normalisation.
    maps = logits.view(37, 4, 5, 6)
    common = maps.transpose(0, 1).flatten(1).mode(dim=1).values
    exact[len(before) + 1] = Masked(maps != common[:, None, None], 0.4)
    wanted = exact(pixels.double())
    torch.testing.assert_close(logits.double(), wanted, atol=1e-4, rtol=1e-4)
    wanted.backward(upstream.double())
    for name, gradient in gradients.items():
        of_torch = exact.get_parameter(name).grad
        assert of_torch is not None
        scale = float(of_torch.abs().max()) + 1.0
        assert float((gradient.double() - of_torch).abs().max()) < 1e-4 * scale, name


def test_several_layers_keep_their_draws_in_backward() -> None:
    """Of a network linear in each weight, the gradient along the weight must be the logits."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(2, 5, 3, padding=1, bias=False),
        nn.Dropout(0.3),
        nn.Conv2d(5, 6, 3, bias=False),
        nn.Dropout(0.5),
        nn.AvgPool2d(2),
        nn.Dropout(0.1),
        nn.Conv2d(6, 4, 1, bias=False),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    made, gradients = compiled(network)
    for images, seed in itertools.product((5, 33, 100), (1, 2)):
        for gradient in gradients.values():
            gradient.zero_()
        upstream = noise((images, 4), seed)
        logits = made.forward(noise((images, *SHAPE), seed), seed)
        made.backward(upstream)
        wanted = float((logits * upstream).sum())
        for name, gradient in gradients.items():
            along = float((network.get_parameter(name).detach() * gradient).sum())
            assert along == pytest.approx(wanted, rel=1e-3, abs=1e-3), name

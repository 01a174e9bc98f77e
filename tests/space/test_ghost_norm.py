from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from space import Architecture, build, cost
from space.ghost_norm import GhostBatchNorm2d

relaxed = settings(max_examples=40)


class OfTheCourses(nn.BatchNorm2d):
    """The ghost batch norm of D. Page's notebooks, which needs batches that the parts divide."""

    def __init__(self, channels: int, splits: int) -> None:
        super().__init__(channels)
        self.splits = splits
        self.register_buffer("running_mean", torch.zeros(channels * splits))
        self.register_buffer("running_var", torch.ones(channels * splits))

    def forward(self, maps: Tensor) -> Tensor:
        """Normalise (n, channels, height, width)."""
        n, c, h, w = maps.shape
        if self.training:
            return functional.batch_norm(
                maps.view(-1, c * self.splits, h, w),
                self.running_mean,
                self.running_var,
                self.weight.repeat(self.splits),
                self.bias.repeat(self.splits),
                True,
                self.momentum or 0.0,
                self.eps,
            ).view(n, c, h, w)
        mean, variance = (
            statistic.view(self.splits, c).mean(0)
            for statistic in (self.running_mean, self.running_var)
            if statistic is not None
        )
        return functional.batch_norm(
            maps, mean, variance, self.weight, self.bias, False, 0.0, self.eps
        )


def learned(norm: nn.BatchNorm2d) -> nn.BatchNorm2d:
    """Give a norm a scale and a shift that matter."""
    with torch.no_grad():
        norm.weight.copy_(torch.linspace(0.5, 1.5, norm.num_features))
        norm.bias.copy_(torch.linspace(-1, 1, norm.num_features))
    return norm


def noise(*shape: int) -> Tensor:
    """Make numbers that are the same every time."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


def gradients(norm: nn.Module, maps: Tensor, upstream: Tensor) -> tuple[Tensor, ...]:
    """Return the output and the gradients of the maps, the scale and the shift."""
    maps = maps.clone().requires_grad_()
    given = norm(maps)
    return given, *torch.autograd.grad(given, [maps, *norm.parameters()], upstream)


@relaxed
@given(st.integers(1, 5), st.integers(2, 5), st.integers(2, 4), st.booleans())
def test_it_is_the_norm_of_the_courses(channels: int, parts: int, images: int, last: bool) -> None:
    """Where the parts divide the batches, figures, gradients and statistics are the known ones."""
    ours = learned(GhostBatchNorm2d(channels, parts))
    known = learned(OfTheCourses(channels, parts))
    for step in range(3):
        maps = noise(images * parts, channels, 3, 2 + step)
        laid = maps.contiguous(memory_format=torch.channels_last) if last else maps
        upstream = noise(*maps.shape[:3], 2 + step)
        for left, right in zip(
            gradients(ours, laid, upstream), gradients(known, maps, upstream), strict=True
        ):
            torch.testing.assert_close(left, right, atol=1e-5, rtol=1e-4)
    maps = noise(3, channels, 4, 4)
    torch.testing.assert_close(ours.eval()(maps), known.eval()(maps))


@relaxed
@given(st.integers(2, 5), st.integers(1, 23))
def test_any_batch_is_normalised_by_its_parts(parts: int, images: int) -> None:
    """Each image is normalised with those of its rest, a batch too small for parts as a whole."""
    ours = learned(GhostBatchNorm2d(3, parts))
    maps, upstream = noise(images, 3, 4, 2), noise(2, 4, 3, images).permute(3, 2, 1, 0)
    number = parts if images >= 2 * parts else 1
    wanted = torch.empty_like(maps)
    means, variances = torch.zeros(3), torch.zeros(3)
    inner, scales = torch.empty_like(maps), torch.zeros(2, 3)
    for part in range(number):
        plain = learned(nn.BatchNorm2d(3))
        given, inner[part::number], scale, shift = gradients(
            plain, maps[part::number], upstream[part::number]
        )
        wanted[part::number] = given.detach()
        assert plain.running_mean is not None
        assert plain.running_var is not None
        means += plain.running_mean / number
        variances += plain.running_var / number
        scales += torch.stack((scale, shift))
    found = gradients(ours, maps, upstream)
    for left, right in zip(found, (wanted, inner, *scales), strict=True):
        torch.testing.assert_close(left, right, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(ours.running_mean, means)
    torch.testing.assert_close(ours.running_var, variances)
    assert ours.num_batches_tracked == 1


@pytest.mark.parametrize("text", ["conv3 6 pad1 gbn4 relu\ngap\nconv1 10", "gbn2\ngap\nlinear 10"])
def test_its_weights_are_those_of_a_batch_norm(text: str) -> None:
    """In evaluation a network is the one with ``bn`` instead, which has the same parameters."""
    ghost = Architecture.parse(text)
    plain = Architecture.parse(text.replace("gbn4", "bn").replace("gbn2", "bn"))
    assert cost(ghost) == cost(plain)
    network, other = build(ghost), build(plain)
    images = noise(8, 1, 28, 28)
    network(images)
    names = {name.replace("gbn", "bn"): value for name, value in network.state_dict().items()}
    other.load_state_dict(names)
    assert torch.equal(network.eval()(images), other.eval()(images))
    assert not torch.equal(network.train()(images), copy.deepcopy(other).train()(images))

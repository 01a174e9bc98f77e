from __future__ import annotations

import copy
from collections.abc import Mapping
from math import inf

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from space import Architecture
from tests.trainer.drawn_networks import architectures, network_of, noise
from tests.trainer.small_networks import convolutional
from trainer.errors import NoKernels
from trainer.native.network import CompiledNetwork
from trainer.native.program import Shape
from trainer.weights import FlatWeights

Figures = dict[str, Tensor]
"""Logits, inference logits, gradients and BatchNorm statistics under names."""

SEED = 5

# Up to several full blocks and one that is partly empty, whatever the width of the vectors.
counts = st.integers(2, 40)


def compiled(
    network: nn.Module, shape: Shape, images: int = 40, threads: int = 1
) -> tuple[CompiledNetwork, Figures]:
    """The network by the kernels, and its gradients by the parameters' names."""
    gradients = FlatWeights(network).make_gradient()
    made = CompiledNetwork(network, shape, gradients, images, threads)
    return made, {
        name: gradients[parameter]
        for name, parameter in network.named_parameters()
        if parameter.requires_grad
    }


def by_kernels(
    network: nn.Module, pixels: Tensor, upstream: Tensor, threads: int = 1, images: int = 40
) -> Figures:
    """What one batch gives by the kernels; the statistics are those after it."""
    _, *shape = pixels.shape
    made, gradients = compiled(network, (shape[0], shape[1], shape[2]), images, threads)
    logits = made.forward(pixels, SEED)
    made.backward(upstream)
    return figures(network, logits, gradients, made.infer(pixels))


def by_torch(network: nn.Module, pixels: Tensor, upstream: Tensor) -> Figures:
    """The same by autograd."""
    network.train()
    named = {name: p for name, p in network.named_parameters() if p.requires_grad}
    logits = network(pixels)
    gradients = torch.autograd.grad(
        logits, list(named.values()), upstream, allow_unused=True, materialize_grads=True
    )
    with torch.no_grad():
        inferred = network.eval()(pixels)
    return figures(network, logits, dict(zip(named, gradients, strict=True)), inferred)


def figures(
    network: nn.Module, logits: Tensor, gradients: Mapping[str, Tensor], inferred: Tensor
) -> Figures:
    """All in memory of their own."""
    given = {"logits": logits, "inferred": inferred, **dict(network.named_buffers())}
    given |= {f"gradient {name}": gradient for name, gradient in gradients.items()}
    return {name: tensor.detach().clone() for name, tensor in given.items()}


class Watched:
    """A network in double precision that notes where single precision could not follow.

    Attributes:
        network: without dropout.
        sharpest: how near a value came to where a slope jumps, against the largest of its map.
        flattest: the smallest variance that a BatchNorm met, against the mean square; 0 where it
            met fewer than 8 values.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = without_dropout(network).double()
        self.sharpest, self.flattest = inf, inf
        for module in self.network.modules():
            module.register_forward_pre_hook(self._look)

    def is_well_conditioned(self) -> bool:
        """Whether rounding in single precision stays rounding."""
        return self.sharpest > 1e-6 and self.flattest > 1e-3

    def _look(self, module: nn.Module, given: tuple[Tensor]) -> None:
        values = given[0].detach()
        if isinstance(module, nn.BatchNorm2d):
            spread = values.var(dim=(0, 2, 3), unbiased=False)
            share = spread / (values.square().mean(dim=(0, 2, 3)) + 1e-3)
            enough = values[:, 0].numel() >= 8
            self.flattest = min(self.flattest, float(share.min()) if enough else 0.0)
        elif (gaps := _gaps(module, values)) is not None:
            # Equal values, such as zeros, are equal in any precision.
            gaps = gaps[gaps > 0]
            nearest = float(gaps.min() / values.abs().max()) if gaps.numel() else inf
            self.sharpest = min(self.sharpest, nearest)


def _gaps(module: nn.Module, values: Tensor) -> Tensor | None:
    match module:
        case nn.ReLU() | nn.LeakyReLU():
            return values.abs()
        case nn.Hardswish():
            return torch.minimum((values - 3).abs(), (values + 3).abs())
        case nn.MaxPool2d(kernel_size=size, stride=stride, padding=pad):
            down, right = pad if isinstance(pad, tuple) else (pad, pad)
            padded = functional.pad(
                values.flatten(0, 1)[:, None], (right, right, down, down), value=-1e30
            )
            windows = functional.unfold(padded, size, stride=stride)
            most = windows.topk(2, dim=1).values
            return most[:, 0] - most[:, 1]
    return None


def without_dropout(network: nn.Module) -> nn.Module:
    """A copy that drops nothing."""
    network = copy.deepcopy(network)
    for module in network.modules():
        if isinstance(module, nn.Dropout | nn.Dropout2d):
            module.p = 0.0
    return network


def assert_agree(ours: Figures, eager: Figures, exact: Figures, tolerance: float) -> None:
    """Our error must be in the order of torch's own in single precision, or below the tolerance.

    The tolerance is relative to the largest of a tensor, or to a hundredth of the largest of all
    gradients: what is zero but for rounding has no scale of its own.
    """
    largest = max(float(t.abs().max()) for name, t in exact.items() if name.startswith("gradient"))
    assert ours.keys() == exact.keys()
    for name, wanted in exact.items():
        error, unavoidable = (
            float((some[name].double() - wanted.double()).abs().max()) for some in (ours, eager)
        )
        scale = float(wanted.abs().max()) + 0.01 * largest * name.startswith("gradient")
        assert error <= 20 * unavoidable + tolerance * scale, name


def check(architecture: Architecture, images: int, seed: int, tolerance: float) -> bool:
    """Compares a network of an architecture; returns whether it could be compared."""
    network = network_of(architecture, seed)
    pixels = noise((images, *architecture.input_shape), seed + 1)
    upstream = noise((images, architecture.classes), seed + 2)
    watched = Watched(network)
    exact = by_torch(watched.network, pixels.double(), upstream.double())
    if not watched.is_well_conditioned():
        return False
    eager = by_torch(without_dropout(network), pixels, upstream)
    assert_agree(by_kernels(network, pixels, upstream), eager, exact, tolerance)
    return True


@settings(max_examples=80, suppress_health_check=[HealthCheck.filter_too_much])
@given(architectures(), counts, st.integers(0, 1000))
def test_any_network_agrees_with_torch(architecture: Architecture, images: int, seed: int) -> None:
    """Logits, gradients and statistics must be those of torch but for rounding."""
    assume(check(architecture, images, seed, tolerance=1e-3))


OPERATIONS = {
    **{f"width {w}": f"input 5x4x{w}\nconv3 7 pad1\nconv3 7 pad1" for w in range(1, 10)},
    **{f"kernel {k}": f"input 4x9x11\nconv{k} 6 pad{k // 2} bias" for k in range(1, 8)},
    **{f"channels {c}": f"input 4x5x9\nconv3 {c} pad1\nconv3 21 pad1" for c in (1, 4, 6, 13, 33)},
    **{f"point {c}": f"input 3x2x3\nconv1 {c} bias\nconv1 17" for c in (1, 5, 12, 16, 17, 29)},
    **{f"stride {s}": f"conv5 5 pad1 stride{s}\nconv4 5 pad3 stride{s}" for s in (2, 3, 5)},
    **{f"stride {s}": f"conv5 5 pad1 stride{s}\nconv4 5 pad2 stride{s}" for s in ("2x1", "1x3")},
    **{f"kernel {k}": f"input 4x9x11\nconv{k} 6 pad2 bias" for k in ("1x5", "5x3", "4x1", "2x3")},
    **{f"dilation {d}": f"conv3 5 pad2 dilation{d} bias\nconv2 5" for d in ("2", "3", "1x2")},
    "oblong depthwise": "input 6x11x9\ndepthwise5x3 pad2x1 stride2x1\ndepthwise3 pad2 dilation2x1",
    "dilated groups": "conv3 8 pad2 dilation2 stride2x1 groups2\nseparable1x3 6 pad0x1",
    "keyword spotting": "input 1x40x98\nconv10x4 8 pad5x1 stride2 bn silu\nseparable3 8 pad1 gelu\n"
    "avgpool2x1\nconv3x5 6 stride1x2",
    "overlapping windows": "conv3 5 pad1\nmaxpool3 pad1 stride2\nmaxpool2 stride1",
    "overlapping means": "conv3 5 pad1\navgpool3 pad1 stride2\navgpool3x2 stride1",
    "windows apart": "conv3 5 pad1\nmaxpool2 stride3\nconv1 4\navgpool1x2 stride2x1",
    "smooth activations": "conv3 5 gelu\nconv3 5 elu\nconv3 5 tanh\nconv3 5 sigmoid",
    "a pool of two readers": "conv3 4 pad1\nmaxpool3 pad1 stride1 skip\navgpool3 pad1 stride1 skip",
    "far padding": "conv3 5 pad4\nconv2 5 pad2\nconv3 5 pad3 stride2\nconv1 4 pad2",
    "many rows": "input 12x26x22\nconv3 30 pad1\nconv3 24 pad2 silu",
    "groups": "conv3 12 pad1 groups4\nconv3 24 pad1 groups3 bias\nconv2 6 groups6 stride2",
    "two channels to one": "input 4x5x6\nconv3 8 pad1 groups4",
    "depthwise": "input 11x9x10\ndepthwise3 pad1 bias\ndepthwise4 pad1 stride2\ndepthwise7 pad3",
    "one channel": "input 1x9x8\nconv3 1 pad1\nconv5 1 pad2 bias",
    "separable": "input 3x9x8\nseparable5 9 pad2 silu\nseparable2 6 stride2 bias",
    "pools": "input 2x17x14\nconv3 5 pad1\nmaxpool3\navgpool2",
    "a map of three readers": "conv3 4 pad1\nconv3 4 pad1 bn silu skip\ndepthwise3 pad1 skip2",
    "whole maps": "input 3x7x5\nconv3 6 silu\nlinear 20 hardswish\nlinear 9 leakyrelu",
    "images first": "bn silu conv3 4 pad1 skip bn\navgpool2",
    "long skips": "conv3 4 pad1 silu\nconv3 4 pad1 skip2 relu\nagain2\nconv3 4 pad1 skip4",
    "twice the same": "conv3 4 pad1\nskip skip silu\nskip",
    "shared norms": "conv3 4 pad1 bn silu\nagain\nagain2",
}


@pytest.mark.parametrize("text", OPERATIONS.values(), ids=OPERATIONS)
@pytest.mark.parametrize("images", [2, 21])
def test_each_operation_agrees_with_torch(text: str, images: int) -> None:
    """Each kernel must give torch's numbers, to rounding in single precision."""
    architecture = Architecture.parse(f"{text}\nlinear 6", (4, 11, 9))
    assert any(check(architecture, images, seed, tolerance=2e-5) for seed in range(5))


class Branches(nn.Module):
    """What the layer language cannot say: a map that pools, convolutions and sums read at once."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, 6, (3, 2), padding=(1, 0))
        self.largest = nn.MaxPool2d((2, 3))
        self.mean = nn.AvgPool2d((2, 3))
        self.plain = nn.BatchNorm2d(6, affine=False, momentum=0.7, eps=1e-2)
        self.norm = nn.BatchNorm2d(6, momentum=0.0)
        self.last = nn.Linear(6 * 4 * 2, 5)

    def forward(self, pixels: Tensor) -> Tensor:
        """Maps (n, 2, 9, 8) to (n, 5)."""
        maps = self.first(pixels)
        maps = self.largest(maps) + self.mean(maps) + self.mean(self.plain(maps) + maps)
        logits: Tensor = self.last(torch.flatten(self.norm(maps + maps), 1))
        return logits


def test_maps_of_many_readers_agree_with_torch() -> None:
    """Oblong windows, BatchNorm's own settings and a map read five times must be no trouble."""
    network = Branches().train()
    pixels, upstream = noise((19, 2, 9, 8), 1), noise((19, 5), 2)
    watched = Watched(network)
    exact = by_torch(watched.network, pixels.double(), upstream.double())
    eager = by_torch(copy.deepcopy(network), pixels, upstream)
    assert_agree(by_kernels(network, pixels, upstream), eager, exact, tolerance=2e-5)


def bits(some: Figures) -> dict[str, bytes]:
    """Figures that are equal only to the last bit, NaNs too."""
    return {name: tensor.contiguous().numpy().tobytes() for name, tensor in some.items()}


@settings(max_examples=15)
@given(architectures(), counts, st.integers(0, 1000))
def test_threads_change_no_figure(architecture: Architecture, images: int, seed: int) -> None:
    """One thread, some and more than there are blocks must give the same to the last bit."""
    pixels = noise((images, *architecture.input_shape), seed + 1)
    upstream = noise((images, architecture.classes), seed + 2)
    given = []
    for threads in (1, 2, 3, 5):
        network = network_of(architecture, seed)
        for module in network.modules():
            if isinstance(module, nn.Dropout | nn.Dropout2d):
                module.p = 0.3
        given.append(bits(by_kernels(network, pixels, upstream, threads)))
    assert all(figures == given[0] for figures in given[1:])


@settings(max_examples=15)
@given(architectures(), counts, counts, st.integers(0, 1000))
def test_earlier_batches_leave_no_trace(
    architecture: Architecture, images: int, before: int, seed: int
) -> None:
    """After batches of other sizes and inference a batch must give what it gives at once."""
    pixels = noise((max(images, before), *architecture.input_shape), seed + 1)
    upstream = noise((max(images, before), architecture.classes), seed + 2)
    used, fresh = network_of(architecture, seed), network_of(architecture, seed)
    made, gradients = compiled(used, architecture.input_shape)
    made.forward(100 * pixels[:before], SEED)
    made.backward(upstream[:before])
    made.infer(pixels)
    used.load_state_dict(fresh.state_dict())
    for gradient in gradients.values():
        gradient.zero_()
    logits = made.forward(pixels[:images], SEED)
    made.backward(upstream[:images])
    again = figures(used, logits, gradients, made.infer(pixels[:images]))
    assert bits(again) == bits(by_kernels(fresh, pixels[:images], upstream[:images]))


@settings(max_examples=15)
@given(architectures(), counts, st.integers(0, 1000))
def test_an_image_is_judged_alone(architecture: Architecture, images: int, seed: int) -> None:
    """In inference its logits must not depend, to the last bit, on its place and company."""
    network = network_of(architecture, seed)
    made, _ = compiled(network, architecture.input_shape, images=2)
    pixels = noise((images, *architecture.input_shape), seed + 1)
    order = torch.randperm(images, generator=torch.Generator().manual_seed(seed))
    together = made.infer(pixels)
    assert torch.equal(made.infer(pixels[order]), together[order])
    assert torch.equal(made.infer(pixels[-1:]), together[-1:])


def test_gradients_are_added_to() -> None:
    """A second forward and backward must add its gradient to that of the first."""
    network = convolutional()
    made, gradients = compiled(network, (1, 8, 8))
    alone = []
    for seed in (1, 2):
        made.forward(noise((20, 1, 8, 8), seed), SEED)
        made.backward(noise((20, 10), seed))
        alone.append({name: gradient.clone() for name, gradient in gradients.items()})
        for gradient in gradients.values():
            gradient.zero_()
    for seed in (1, 2):
        made.forward(noise((20, 1, 8, 8), seed), SEED)
        made.backward(noise((20, 10), seed))
    for name, gradient in gradients.items():
        assert torch.equal(gradient, alone[0][name] + alone[1][name]), name


def test_shared_weights_get_the_sum_of_their_gradients() -> None:
    """A line applied three times must learn what three lines of the same weights do together."""
    text = "conv3 4 pad1 bias\nconv3 4 pad1 bias silu\n{}\nlinear 3"
    shared = network_of(Architecture.parse(text.format("again\nagain"), (2, 6, 7)))
    spread = network_of(
        Architecture.parse(text.format("\n".join(["conv3 4 pad1 bias silu"] * 2)), (2, 6, 7))
    )
    for line, source in (("1", "1"), ("2", "2"), ("3", "2"), ("4", "2"), ("5", "5")):
        part = spread.get_submodule(f"line{line}")
        part.load_state_dict(shared.get_submodule(f"line{source}").state_dict())
    pixels, upstream = noise((9, 2, 6, 7), 1), noise((9, 3), 2)
    of_shared = by_kernels(shared, pixels, upstream)
    of_spread = by_kernels(spread, pixels, upstream)
    assert torch.equal(of_shared["logits"], of_spread["logits"])
    for name in ("weight", "bias"):
        parts = [of_spread[f"gradient line{line}.conv.{name}"] for line in (2, 3, 4)]
        torch.testing.assert_close(of_shared[f"gradient line2.conv.{name}"], sum(parts))


def test_frozen_parameters_stay() -> None:
    """Frozen weights must be used and left alone, and the others learn as ever."""
    architecture = Architecture.parse(
        "conv3 4 pad1 bias\nconv3 4 pad1 bias bn silu\nlinear 3", (2, 6, 7)
    )
    pixels, upstream = noise((9, 2, 6, 7), 1), noise((9, 3), 2)
    wanted = by_kernels(network_of(architecture), pixels, upstream)
    network = network_of(architecture)
    frozen = ("line1.conv.bias", "line2.conv.weight", "line2.bn.weight", "line3.linear.bias")
    before = {name: network.get_parameter(name).requires_grad_(False).clone() for name in frozen}
    given = by_kernels(network, pixels, upstream)
    assert given.keys() == wanted.keys() - {f"gradient {name}" for name in frozen}
    for name, tensor in given.items():
        torch.testing.assert_close(tensor, wanted[name], msg=name)
    assert all(torch.equal(network.get_parameter(name), before[name]) for name in frozen)


@pytest.mark.parametrize(
    "words", ["relu", "leakyrelu", "silu", "hardswish", "bn relu", "relu bn", "drop0.000000001"]
)
@pytest.mark.parametrize("after", ["conv3 5 pad1", "maxpool2", "avgpool2", "gap"])
def test_a_nan_stays_a_nan(words: str, after: str) -> None:
    """One weight that is NaN must show in every logit, in training and in inference."""
    network = network_of(Architecture.parse(f"conv3 4 {words}\n{after}\nlinear 3", (1, 8, 8)))
    with torch.no_grad():
        network.get_parameter("line1.conv.weight")[2, 0, 1, 1] = torch.nan
    made, _ = compiled(network, (1, 8, 8))
    assert bool(made.forward(noise((5, 1, 8, 8), 1), SEED).isnan().all())
    assert bool(made.infer(noise((5, 1, 8, 8), 1)).isnan().all())


def test_extreme_values_are_torchs() -> None:
    """Activations of values beyond any that learning brings must be finite where torch's are."""
    for text in ("relu", "leakyrelu", "silu", "hardswish"):
        network = network_of(Architecture.parse(f"{text}\nlinear 2", (3, 1, 1)))
        pixels = torch.tensor([[-1e30, 1e30, 88.8], [-88.8, -3.0, -1e-30], [0.0, 3.0, -200.0]])
        made, _ = compiled(network, (3, 1, 1))
        ours, torchs = made.infer(pixels[:, :, None, None]), network(pixels[:, :, None, None])
        torch.testing.assert_close(ours, torchs.detach(), msg=text)


def test_equal_values_share_no_gradient() -> None:
    """Of the equal values of a window one must get the gradient, as torch does it."""
    network = network_of(Architecture.parse("conv1 4 bias\nmaxpool3\nlinear 3", (2, 6, 8)))
    pixels, upstream = noise((19, 2, 1, 1), 1).expand(-1, -1, 6, 8), noise((19, 3), 2)
    eager = by_torch(copy.deepcopy(network), pixels, upstream)
    exact = by_torch(copy.deepcopy(network).double(), pixels.double(), upstream.double())
    assert_agree(by_kernels(network, pixels, upstream), eager, exact, tolerance=2e-5)


@pytest.mark.parametrize(
    "order", ["channels last", "a part of more", "upside down", "one repeated"]
)
def test_pixels_may_lie_anywhere(order: str) -> None:
    """How the images lie in memory must make no difference."""
    pixels = noise((7, 3, 8, 8), 1)
    laid = {
        "channels last": pixels.contiguous(memory_format=torch.channels_last),
        "a part of more": noise((9, 5, 12, 10), 2)[1:8, 1:4, 2:10, 1:9].copy_(pixels),
        "upside down": pixels.transpose(2, 3).contiguous().transpose(2, 3),
        "one repeated": pixels[:1].expand(7, -1, -1, -1),
    }[order]
    network = network_of(Architecture.parse("conv3 4 bn relu\nlinear 3", (3, 8, 8)))
    made, _ = compiled(network, (3, 8, 8))
    assert torch.equal(
        made.infer(laid), made.infer(laid.clone(memory_format=torch.contiguous_format))
    )


@pytest.mark.parametrize("shape", [(5, 1, 8, 7), (5, 2, 8, 8), (5, 8, 8), (5, 1, 8, 8, 1)])
def test_other_images_are_refused(shape: tuple[int, ...]) -> None:
    """Images of another shape or type must not be read."""
    made, _ = compiled(convolutional(), (1, 8, 8))
    for pixels in (noise(shape, 1), noise((5, 1, 8, 8), 1).double()):
        with pytest.raises(ValueError, match="expected"):
            made.forward(pixels, SEED)
        with pytest.raises(ValueError, match="expected"):
            made.infer(pixels)


def test_more_images_than_announced_are_refused() -> None:
    """A batch larger than memory was allocated for must be refused; inference may have any size."""
    made, _ = compiled(convolutional(), (1, 8, 8), images=5)
    with pytest.raises(ValueError, match="40 images: expected 1 to 5"):
        made.forward(noise((40, 1, 8, 8), 1), SEED)
    assert made.infer(noise((600, 1, 8, 8), 1)).shape == (600, 10)


def test_backward_after_inference_is_refused() -> None:
    """Once inference has overwritten the maps a gradient must not be made of them."""
    made, _ = compiled(convolutional(), (1, 8, 8), images=5)
    made.forward(noise((5, 1, 8, 8), 1), SEED)
    made.infer(noise((100, 1, 8, 8), 1))
    with pytest.raises(ValueError, match="needs a forward in training mode"):
        made.backward(noise((5, 10), 1))


def test_another_gradient_is_refused() -> None:
    """A gradient of another shape or type than the last logits must not be read."""
    made, _ = compiled(convolutional(), (1, 8, 8))
    with pytest.raises(ValueError, match="needs a forward in training mode"):
        made.backward(noise((5, 10), 1))
    made.forward(noise((5, 1, 8, 8), 1), SEED)
    for gradient in (noise((4, 10), 1), noise((5, 9), 1), noise((5, 10), 1).double()):
        with pytest.raises(ValueError, match=r"expected \(5, 10\) floats"):
            made.backward(gradient)


def test_labels_of_no_class_are_refused() -> None:
    """Labels outside the classes, or not one per image, must be refused by value."""
    made, _ = compiled(convolutional(), (1, 8, 8))
    pixels = noise((5, 1, 8, 8), 1)
    for label in (-1, 10):
        with pytest.raises(ValueError, match=f"label {label} is outside 0 to 9"):
            made.forward_backward(pixels, torch.tensor([0, 1, 2, 3, label]), SEED, 0.0)
    for labels in (torch.zeros(4, dtype=torch.int64), torch.zeros(5)):
        with pytest.raises(ValueError, match=r"expected \(5,\) torch.int64"):
            made.forward_backward(pixels, labels, SEED, 0.0)


def test_maps_beyond_the_kernels_bounds_are_refused() -> None:
    """What the kernels refuse must be a reason for doing without them, not end the training."""
    network = nn.Sequential(nn.BatchNorm2d(1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with pytest.raises(NoKernels, match="cannot run this network: a map of more than 134217727"):
        compiled(network, (1, 16384, 8192), images=1)


def test_too_little_memory_is_reported() -> None:
    """Maps larger than any memory must be refused, with the batch that was asked for."""
    network = network_of(Architecture.parse("conv3 4\ngap", (1, 512, 512)))
    with pytest.raises(MemoryError, match=r"not enough memory .* 1073741824 images"):
        compiled(network, (1, 512, 512), images=2**30)

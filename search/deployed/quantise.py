"""From a folded network to one of int8: weights by channel, activations by map.

A value is ``scale * (q - zero)`` for a whole number q of -128 to 127. A weight is ``scale * q`` for
q of -127 to 127, with a scale for each output channel. The whole numbers that an inference needs
are worked out here; ``search.deployed.integer`` says what is done with them, and the generated C
does the same.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from search.deployed.floating import activated, run_floats
from search.deployed.folding import Arrays, FoldedNetwork
from space.deployed.kernels import (
    Affine,
    Deployed,
    GroupNormalise,
    Image,
    Kernel,
    Multiply,
    PoolMap,
    Sum,
    Table,
)
from space.deployed.limits import int8_problem
from space.errors import NotDeployable
from space.layers.words import elements

__all__ = [
    "LEAST",
    "MOST",
    "OFFSET_BITS",
    "RATIO_BITS",
    "ROOT_BITS",
    "QuantisedNetwork",
    "Scaling",
    "Tables",
    "finest_steps",
    "quantise",
    "weight_steps",
]

LEAST, MOST = -128, 127
OFFSET_BITS = 16
"""Offsets are in units of 2 ** -16."""

RATIO_BITS = 20
"""A norm of groups works with ratios in units of 2 ** -20."""

ROOT_BITS = 8
"""It takes roots in units of 2 ** -8."""

_SHIFTS = range(OFFSET_BITS + 1, 47)
_MOST_BIAS = 2**27
_STEPS_OF_A_MEAN = 128
_SAMPLES = 200_000
_BATCH = 50
"""So many images at once; all their maps are in double precision."""

_SHRINKS = tuple(1.0 - 0.05 * step for step in range(11))


@dataclass(frozen=True)
class Scaling:
    """What the whole numbers of a map mean.

    Attributes:
        scale: of one step.
        zero: the whole number that stands for 0.
    """

    scale: float
    zero: int

    def quantised(self, value: Tensor) -> Tensor:
        """Return the nearest whole numbers, int64."""
        return (value / self.scale + self.zero).round().clamp(LEAST, MOST).long()

    def value(self, quantised: Tensor) -> Tensor:
        """Return what whole numbers stand for."""
        return (quantised - self.zero).double() * self.scale


@dataclass(frozen=True)
class Tables:
    """The whole numbers of one kernel.

    Attributes:
        weight: int8 (out, in of a group, height, width).
        bias: int32 (out,), in units of the products.
        factor: int32 (channels,) or (1,): what results are multiplied by.
        offset: int32 (channels,), added to that in units of 2 ** -16; where there is none, the zero
            of what is written.
        shift: the product is divided by 2 ** shift.
        table: int8 (256,), an activation from q = -128 on.
        low: the least q that is stored.
        epsilon: of a norm of groups, in units of its squares.
        scales: (out,), what a step of each output channel's weights is.
    """

    weight: Tensor | None = None
    bias: Tensor | None = None
    factor: Tensor | None = None
    offset: Tensor | None = None
    shift: int = OFFSET_BITS + 1
    table: Tensor | None = None
    low: int = LEAST
    epsilon: int = 0
    scales: Tensor | None = None


@dataclass(frozen=True)
class QuantisedNetwork:
    """A network of whole numbers.

    Attributes:
        deployed: its kernels.
        tables: the whole numbers of each of them.
        scalings: of each value.
        between: of what each kernel looks up in its table, by the number of the kernel.
    """

    deployed: Deployed
    tables: Sequence[Tables]
    scalings: Sequence[Scaling]
    between: Mapping[int, Scaling]


def quantise(network: FoldedNetwork, images: Tensor) -> QuantisedNetwork:
    """Quantise a network.

    Args:
        network: the folded network.
        images: uint8 (n, channels, height, width) of the training part, by which the ranges of the
            maps are chosen.

    Raises:
        NotDeployable: a layer is too large for int8.
    """
    if problem := int8_problem(network.deployed):
        raise NotDeployable(problem)
    scalings, between = _calibrated(network, images)
    maker = _Maker(network.deployed, scalings, between)
    tables = [
        maker.tables(number, kernel, arrays)
        for number, (kernel, arrays) in enumerate(
            zip(network.deployed.kernels, network.arrays, strict=True)
        )
    ]
    return QuantisedNetwork(network.deployed, tables, scalings, between)


def _calibrated(network: FoldedNetwork, images: Tensor) -> tuple[list[Scaling], dict[int, Scaling]]:
    """Choose the scaling of every value by what the images make of it."""
    deployed = network.deployed
    share = max(1, -(-len(images) // _BATCH))
    seen: defaultdict[int, _Seen] = defaultdict(lambda: _Seen(_SAMPLES // share))
    before_tables: defaultdict[int, _Seen] = defaultdict(lambda: _Seen(_SAMPLES // share))
    for batch in torch.split(images, _BATCH):
        run_floats(
            network,
            batch / 255.0,
            lambda index, value: seen[index].add(value),
            lambda number, value: before_tables[number].add(value),
        )
    scalings = [Scaling(1.0 / 255.0, LEAST)] * len(deployed.values)
    for kernel in deployed.kernels:
        target, source = kernel.target, scalings[kernel.source]
        if isinstance(kernel, Image):
            scalings[target] = _of_pixels(network)
        elif isinstance(kernel, PoolMap) and not kernel.is_mean:
            scalings[target] = source
        else:
            # Finer than the noise of a mean of steps is of no use.
            finest = source.scale / _STEPS_OF_A_MEAN if isinstance(kernel, PoolMap) else 0.0
            scalings[target] = seen[target].scaling(clip=target != deployed.logits, finest=finest)
    return scalings, {number: each.scaling() for number, each in before_tables.items()}


class _Seen:
    """What a map held, batch by batch: its ends, and some of its values."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._low = self._high = 0.0
        self._samples: list[Tensor] = []

    def add(self, value: Tensor) -> Tensor:
        """Look at the map of a batch, and return it."""
        self._low = min(self._low, float(value.min()))
        self._high = max(self._high, float(value.max()))
        flat = value.flatten()
        self._samples.append(flat[:: -(-len(flat) // self._most)].clone())
        return value

    def scaling(self, *, clip: bool = True, finest: float = 0.0) -> Scaling:
        """Return the scaling with the least squared error; it may cut off what is rare.

        Args:
            clip: whether anything may be cut off.
            finest: no step is smaller.
        """
        if not clip:
            return _covering(self._low, self._high, finest)
        samples = torch.cat(self._samples)

        def error(scaling: Scaling) -> float:
            return float((scaling.value(scaling.quantised(samples)) - samples).square().sum())

        return min(
            (_covering(self._low * each, self._high * each, finest) for each in _SHRINKS),
            key=error,
        )


def _of_pixels(network: FoldedNetwork) -> Scaling:
    """Return the scaling of normalised images: as fine as the pixels where there is one channel."""
    mean, std = network.normalisation.mean, network.normalisation.std
    low = min(-m / s for m, s in zip(mean, std, strict=True))
    high = max((1.0 - m) / s for m, s in zip(mean, std, strict=True))
    return _covering(low, high)


def _covering(low: float, high: float, finest: float = 0.0) -> Scaling:
    low, high = min(0.0, low), max(0.0, high)
    scale = max((high - low) / (MOST - LEAST), finest)
    if scale <= 0.0 or not math.isfinite(scale):
        return Scaling(1.0, 0)
    return Scaling(scale, min(MOST, max(LEAST, round(LEAST - low / scale))))


def finest_steps(
    deployed: Deployed, scalings: Sequence[Scaling]
) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return the least step of the maps that weights are applied to, by the weights' key."""
    finest: dict[tuple[str, tuple[str, ...]], float] = {}
    for kernel in deployed.kernels:
        if isinstance(kernel, Multiply):
            key, scale = kernel.weights_key, scalings[kernel.source].scale
            finest[key] = min(scale, finest.get(key, scale))
    return finest


def weight_steps(arrays: Arrays, finest: float) -> Tensor:
    """Return what a step of the weights is, (out,), for each output channel.

    Args:
        arrays: with a weight and a bias.
        finest: the least step of the maps that they are applied to.
    """
    assert arrays.weight is not None
    assert arrays.bias is not None
    largest = arrays.weight.abs().amax((1, 2, 3)) / MOST
    # Where the weights of a channel are nearly nothing, its bias must still fit, for every map
    # that the same weights are applied to.
    scales = torch.maximum(largest, arrays.bias.abs() / (finest * _MOST_BIAS))
    return torch.where(scales > 0, scales, 1.0)


class _Maker:
    """Makes the whole numbers of kernels."""

    def __init__(
        self, deployed: Deployed, scalings: Sequence[Scaling], between: Mapping[int, Scaling]
    ) -> None:
        self._deployed = deployed
        self._scalings = scalings
        self._between = between
        self._finest = finest_steps(deployed, scalings)

    def tables(self, number: int, kernel: Kernel, arrays: Arrays) -> Tables:
        """Return the whole numbers of one kernel."""
        before, after = self._scalings[kernel.source], self._scalings[kernel.target]
        low = after.zero if kernel.relu else LEAST
        match kernel:
            case Image():
                assert arrays.scale is not None
                assert arrays.shift is not None
                return _line(arrays.scale / 255.0, arrays.shift, after, low)
            case Multiply():
                return self._multiply(number, kernel, arrays, low)
            case PoolMap():
                if not kernel.is_mean:
                    return Tables(low=low)
                size = math.prod(kernel.window(self._deployed.values[kernel.source].shape).size)
                return _factors(torch.tensor([before.scale / (size * after.scale)]), low)
            case Sum():
                other = self._scalings[kernel.other]
                return _factors(torch.tensor([before.scale, other.scale]) / after.scale, low)
            case Affine():
                assert arrays.scale is not None
                assert arrays.shift is not None
                return _line(arrays.scale * before.scale, arrays.shift, after, low)
            case GroupNormalise():
                assert arrays.scale is not None
                assert arrays.shift is not None
                assert arrays.epsilon is not None
                size = elements(self._deployed.values[kernel.source].shape) // kernel.groups
                unit = size * 2.0**ROOT_BITS / before.scale
                found = _line(arrays.scale * 2.0**-RATIO_BITS, arrays.shift, after, low)
                return replace(found, epsilon=_whole(arrays.epsilon * unit * unit))
            case Table():
                table = _table(kernel.activation, arrays.slope, before, after, low)
                return Tables(table=table)

    def _multiply(self, number: int, kernel: Multiply, arrays: Arrays, low: int) -> Tables:
        assert arrays.weight is not None
        assert arrays.bias is not None
        before, after = self._scalings[kernel.source], self._scalings[kernel.target]
        stored = self._between[number] if kernel.activation else after
        scales = weight_steps(arrays, self._finest[kernel.weights_key])
        products = before.scale * scales
        weight = (arrays.weight / scales.view(-1, 1, 1, 1)).round()
        bias = (arrays.bias / products).round()
        if kernel.scaled:
            assert arrays.scale is not None
            assert arrays.shift is not None
            found = _line(products * arrays.scale, arrays.shift, after, low)
        else:
            found = _factors(products / stored.scale, LEAST if kernel.activation else low)
        table = None
        if kernel.activation:
            table = _table(kernel.activation, arrays.slope, stored, after, low)
        return replace(
            found,
            weight=weight.to(torch.int8),
            bias=bias.to(torch.int32),
            table=table,
            scales=scales,
        )


def _whole(epsilon: float) -> int:
    return max(1, round(min(epsilon, 2.0**61)))


def _factors(factors: Tensor, low: int) -> Tables:
    """Return whole numbers that multiply by real ones."""
    largest = float(factors.abs().max())
    bits = 30 - math.frexp(largest)[1] if largest > 0 else _SHIFTS[-1]
    shift = min(_SHIFTS[-1], max(_SHIFTS[0], bits))
    whole = (factors.double() * 2.0**shift).round().clamp(1 - 2.0**31, 2.0**31 - 1)
    return Tables(factor=whole.to(torch.int32), shift=shift, low=low)


def _line(factors: Tensor, shifts: Tensor, after: Scaling, low: int) -> Tables:
    """Return whole numbers that multiply by real ones and add others, channel by channel."""
    offset = ((shifts / after.scale + after.zero) * 2.0**OFFSET_BITS).round()
    limit = 2.0**31 - 1
    return replace(
        _factors(factors / after.scale, low), offset=offset.clamp(-limit, limit).to(torch.int32)
    )


def _table(
    activation: str, slope: float | None, before: Scaling, after: Scaling, low: int
) -> Tensor:
    """Return an activation of each whole number from -128 on."""
    values = activated(activation, before.value(torch.arange(LEAST, MOST + 1)), slope)
    return after.quantised(values).clamp(min=low).to(torch.int8)

"""A deployed network in floats whose weights and maps are rounded as in int8, with a gradient.

The forward pass computes what ``search.deployed.integer`` does; the backward pass takes rounding
for the identity and is 0 where a value is cut off: the straight-through estimator (Bengio et al.,
2013, arXiv 1308.3432), used for int8 by Jacob et al. (2018, arXiv 1712.05877).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from search.deployed.floating import run_floats
from search.deployed.folding import Arrays, FoldedNetwork
from search.deployed.quantise import (
    LEAST,
    MOST,
    QuantisedNetwork,
    Scaling,
    finest_steps,
    weight_steps,
)
from space.deployed.kernels import Multiply

__all__ = ["run_fake_quantised"]


def run_fake_quantised(network: FoldedNetwork, ranges: QuantisedNetwork, images: Tensor) -> Tensor:
    """Return the logits of images, rounded as in int8.

    They differ from those of the whole numbers only where a value lies so near the middle of two
    steps that the rounding of the floats decides. The norms of ``gn`` and ``ln`` are computed in
    floats, and only what they give is rounded.

    Args:
        network: the folded network; gradients flow back to its weights.
        ranges: gives the scalings of the maps. The weights are rounded by their own.
        images: (n, channels, height, width), floats in [0, 1].

    Returns:
        (n, classes), in the precision of the weights.
    """
    kernels, scalings = ranges.deployed.kernels, ranges.scalings

    def before_table(number: int, value: Tensor) -> Tensor:
        # A table by itself reads a map that is rounded already.
        is_part = isinstance(kernels[number], Multiply)
        return _rounded_map(value, ranges.between[number]) if is_part else value

    return run_floats(
        _with_rounded_weights(network, scalings),
        _rounded_map(images, scalings[0]),
        lambda index, value: _rounded_map(value, scalings[index]),
        before_table,
    )


def _with_rounded_weights(network: FoldedNetwork, scalings: Sequence[Scaling]) -> FoldedNetwork:
    kernels = network.deployed.kernels
    finest = finest_steps(network.deployed, scalings)
    arrays = [
        _rounded_weights(each, scalings[kernel.source].scale, finest[kernel.weights_key])
        if isinstance(kernel, Multiply)
        else each
        for kernel, each in zip(kernels, network.arrays, strict=True)
    ]
    return replace(network, arrays=arrays)


def _rounded_weights(arrays: Arrays, before: float, finest: float) -> Arrays:
    """Round the weights of a layer to their own steps, and the biases to those of the products."""
    assert arrays.weight is not None
    assert arrays.bias is not None
    steps = weight_steps(arrays, finest).detach()
    by_channel, products = steps.view(-1, 1, 1, 1), before * steps
    weight, bias = arrays.weight / by_channel, arrays.bias / products
    return replace(
        arrays,
        weight=_passed_through(weight, weight.round()) * by_channel,
        bias=_passed_through(bias, bias.round()) * products,
    )


def _rounded_map(value: Tensor, scaling: Scaling) -> Tensor:
    steps = (value / scaling.scale + scaling.zero).clamp(LEAST, MOST)
    return (_passed_through(steps, (steps + 0.5).floor()) - scaling.zero) * scaling.scale


def _passed_through(value: Tensor, rounded: Tensor) -> Tensor:
    """Return a rounded value with the gradient of the value itself."""
    return value + (rounded - value).detach()

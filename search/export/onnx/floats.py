"""A deployed network in floats, as an ONNX model."""

from __future__ import annotations

import onnx

from search.deployed.folding import Arrays, FoldedNetwork
from search.export.onnx.graph import INPUT, Graph, single
from space.deployed.kernels import (
    Affine,
    GroupNormalise,
    Image,
    Kernel,
    Multiply,
    PoolMap,
    Sum,
    Table,
)
from space.layers.words import elements

__all__ = ["float_model"]


def float_model(network: FoldedNetwork, about: str) -> onnx.ModelProto:
    """Return the model, which normalises images of 0 to 1 itself.

    Args:
        network: the network.
        about: a text that the file carries.
    """
    deployed, graph = network.deployed, Graph()
    values = {0: INPUT}
    for kernel, arrays in zip(deployed.kernels, network.arrays, strict=True):
        value = _applied(graph, network, kernel, arrays, values)
        if not isinstance(kernel, Image | Table) and kernel.relu:
            value = graph.activation(value, "relu", None)
        if isinstance(kernel, Multiply) and kernel.pool is not None:
            value = graph.greatest(kernel.pool, value)
        values[kernel.target] = value
    classes = elements(deployed.values[deployed.logits].shape)
    return graph.model(values[deployed.logits], deployed.values[0].shape, classes, about)


def _applied(
    graph: Graph, network: FoldedNetwork, kernel: Kernel, arrays: Arrays, values: dict[int, str]
) -> str:
    value, before = values[kernel.source], network.deployed.values[kernel.source].shape
    match kernel:
        case Image():
            return graph.line(value, arrays)
        case Multiply():
            weight = graph.constant(single(arrays.weight), "weight")
            bias = graph.constant(single(arrays.bias), "bias")
            value = graph.convolution(kernel, [value, weight, bias], before)
            return finished(graph, kernel, arrays, value)
        case PoolMap():
            return graph.pool(kernel, value, before)
        case Sum():
            return graph.node("Add", [value, values[kernel.other]])
        case Affine():
            return graph.affine(kernel, arrays, value)
        case GroupNormalise():
            return graph.group_norm(kernel, arrays, value)
        case Table():
            return graph.activation(value, kernel.activation, arrays.slope)


def finished(graph: Graph, kernel: Multiply, arrays: Arrays, value: str) -> str:
    """Add what a convolution does to its sums, but for its pool and the last relu."""
    if kernel.rectify:
        value = graph.activation(value, "relu", None)
    if kernel.scaled:
        value = graph.line(value, arrays)
    if kernel.activation:
        value = graph.activation(value, kernel.activation, arrays.slope)
    return value

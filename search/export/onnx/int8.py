"""A deployed network in int8, as an ONNX model with quantised operators.

Each map is quantised and read back (QuantizeLinear, DequantizeLinear), weights and biases are read
back from whole numbers; a runtime makes operators on whole numbers of that. It rounds in other
places than the reference, so its whole numbers may differ by one.
"""

from __future__ import annotations

import numpy as np
import onnx

from search.deployed.folding import Arrays, FoldedNetwork
from search.deployed.quantise import QuantisedNetwork, Scaling, Tables
from search.export.onnx.floats import finished
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

__all__ = ["int8_model"]


def int8_model(folded: FoldedNetwork, network: QuantisedNetwork, about: str) -> onnx.ModelProto:
    """Return the model, which normalises images of 0 to 1 itself.

    Args:
        folded: the network in floats.
        network: the same in whole numbers.
        about: a text that the file carries.
    """
    writer = _Writer(folded, network)
    for number, kernel in enumerate(network.deployed.kernels):
        writer.add(number, kernel)
    return writer.model(about)


class _Writer:
    def __init__(self, folded: FoldedNetwork, network: QuantisedNetwork) -> None:
        self._folded = folded
        self._network = network
        self._graph = Graph()
        self._values = {0: INPUT}

    def add(self, number: int, kernel: Kernel) -> None:
        """Add a kernel, and quantise what it gives."""
        arrays = self._folded.arrays[number]
        value = self._applied(number, kernel, arrays)
        if not isinstance(kernel, Image | Table) and kernel.relu:
            value = self._graph.activation(value, "relu", None)
        scaling = self._network.scalings[kernel.target]
        value = self._quantised(value, scaling)
        if isinstance(kernel, Multiply) and kernel.pool is not None:
            value = self._quantised(self._graph.greatest(kernel.pool, value), scaling)
        self._values[kernel.target] = value

    def model(self, about: str) -> onnx.ModelProto:
        """Return the finished model."""
        deployed = self._network.deployed
        classes = elements(deployed.values[deployed.logits].shape)
        logits, shape = self._values[deployed.logits], deployed.values[0].shape
        return self._graph.model(logits, shape, classes, about)

    def _applied(self, number: int, kernel: Kernel, arrays: Arrays) -> str:
        graph, value = self._graph, self._values[kernel.source]
        before = self._network.deployed.values[kernel.source].shape
        match kernel:
            case Image():
                return graph.line(value, arrays)
            case Multiply():
                inputs = [value, *self._weights(kernel, self._network.tables[number])]
                value = graph.convolution(kernel, inputs, before)
                between = self._network.between.get(number)
                if between is not None:
                    value = self._quantised(value, between)
                return finished(graph, kernel, arrays, value)
            case PoolMap():
                return graph.pool(kernel, value, before)
            case Sum():
                return graph.node("Add", [value, self._values[kernel.other]])
            case Affine():
                return graph.affine(kernel, arrays, value)
            case GroupNormalise():
                return graph.group_norm(kernel, arrays, value)
            case Table():
                return graph.activation(value, kernel.activation, arrays.slope)

    def _weights(self, kernel: Multiply, tables: Tables) -> tuple[str, str]:
        """Add weights and biases as whole numbers; return what they stand for."""
        assert tables.weight is not None
        assert tables.bias is not None
        assert tables.scales is not None
        graph = self._graph
        products = tables.scales * self._network.scalings[kernel.source].scale
        read = []
        for name, whole, scales in (
            ("weight", tables.weight, tables.scales),
            ("bias", tables.bias, products),
        ):
            values = graph.constant(whole.numpy(), name)
            scale = graph.constant(single(scales), f"{name}_scale")
            zero = graph.constant(np.zeros(len(scales), whole.numpy().dtype), f"{name}_zero")
            read.append(graph.node("DequantizeLinear", [values, scale, zero], axis=0))
        return read[0], read[1]

    def _quantised(self, value: str, scaling: Scaling) -> str:
        graph = self._graph
        scale = graph.constant(np.array(scaling.scale, np.float32), "scale")
        zero = graph.constant(np.array(scaling.zero, np.int8), "zero")
        whole = graph.node("QuantizeLinear", [value, scale, zero])
        return graph.node("DequantizeLinear", [whole, scale, zero])

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

__all__ = ["Writer", "float_model"]


def float_model(network: FoldedNetwork, about: str) -> onnx.ModelProto:
    """Return the model, which normalises images of 0 to 1 itself.

    Args:
        network: the network.
        about: a text that the file carries.
    """
    return Writer(network).model(about)


class Writer:
    """Writes a network kernel by kernel; what number format it has is up to three methods."""

    def __init__(self, network: FoldedNetwork) -> None:
        self.graph = Graph()
        self._network = network
        self._values = {0: INPUT}

    def model(self, about: str) -> onnx.ModelProto:
        """Write all kernels and return the model, which carries a text."""
        deployed = self._network.deployed
        for number, (kernel, arrays) in enumerate(
            zip(deployed.kernels, self._network.arrays, strict=True)
        ):
            self._add(number, kernel, arrays)
        classes = elements(deployed.values[deployed.logits].shape)
        logits, shape = self._values[deployed.logits], deployed.values[0].shape
        return self.graph.model(logits, shape, classes, about)

    def weights(self, number: int, kernel: Multiply, arrays: Arrays) -> tuple[str, str]:
        """Add weights and biases of a kernel and return their names."""
        weight = self.graph.constant(single(arrays.weight), "weight")
        return weight, self.graph.constant(single(arrays.bias), "bias")

    def looked_up(self, number: int, value: str) -> str:
        """Return the value that a kernel's activation is applied to."""
        return value

    def stored(self, value: str, target: int) -> str:
        """Return what is stored of a value, by its index."""
        return value

    def _add(self, number: int, kernel: Kernel, arrays: Arrays) -> None:
        value = self._applied(number, kernel, arrays)
        if kernel.relu:
            value = self.graph.activation(value, "relu", None)
        value = self.stored(value, kernel.target)
        if isinstance(kernel, Multiply) and kernel.pool is not None:
            value = self.stored(self.graph.greatest(kernel.pool, value), kernel.target)
        self._values[kernel.target] = value

    def _applied(self, number: int, kernel: Kernel, arrays: Arrays) -> str:
        graph, value = self.graph, self._values[kernel.source]
        before = self._network.deployed.values[kernel.source].shape
        match kernel:
            case Image():
                return graph.line(value, arrays)
            case Multiply():
                weights = self.weights(number, kernel, arrays)
                value = graph.convolution(kernel, [value, *weights], before)
                if kernel.rectify:
                    value = graph.activation(value, "relu", None)
                if kernel.scaled:
                    value = graph.line(value, arrays)
                if kernel.activation:
                    value = self.looked_up(number, value)
                    value = graph.activation(value, kernel.activation, arrays.slope)
                return value
            case PoolMap():
                return graph.pool(kernel, value, before)
            case Sum():
                return graph.node("Add", [value, self._values[kernel.other]])
            case Affine():
                return graph.line(value, arrays) if kernel.norms else value
            case GroupNormalise():
                return graph.group_norm(kernel, arrays, value, before)
            case Table():
                return graph.activation(value, kernel.activation, arrays.slope)

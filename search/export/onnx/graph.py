"""Build an ONNX graph from the kernels of a deployed network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from search.deployed.folding import Arrays
from space.deployed.kernels import GroupNormalise, Multiply, PoolMap, Window
from space.errors import NotDeployable
from space.layers.operations import Pool
from space.layers.spelling import both
from space.layers.words import Shape

__all__ = ["INPUT", "OPSET", "OUTPUT", "Graph"]

OPSET = 20
"""The version of the operators: the first with ``Gelu``."""

_IR = 9
INPUT, OUTPUT = "images", "logits"

_ACTIVATIONS: dict[str, tuple[str, dict[str, float]]] = {
    "relu": ("Relu", {}),
    "leakyrelu": ("LeakyRelu", {"alpha": 0.01}),
    "hardswish": ("HardSwish", {}),
    "gelu": ("Gelu", {}),
    "elu": ("Elu", {"alpha": 1.0}),
    "tanh": ("Tanh", {}),
    "sigmoid": ("Sigmoid", {}),
}


class Graph:
    """A graph that grows node by node; values are named by their producers."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, value: NDArray[Any], name: str) -> str:
        """Add a constant and return its name."""
        unique = f"{name}_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(value.copy("C"), unique))
        return unique

    def node(self, operator: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Add a node and return the name of what it gives."""
        name = f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [name], name, **attributes))
        return name

    def line(self, value: str, arrays: Arrays) -> str:
        """Multiply each channel and add to it."""
        assert arrays.scale is not None
        assert arrays.shift is not None
        scaled = self.node("Mul", [value, self.constant(_by_channel(arrays.scale), "scale")])
        return self.node("Add", [scaled, self.constant(_by_channel(arrays.shift), "shift")])

    def activation(self, value: str, name: str, slope: float | None) -> str:
        """Apply an activation by its word."""
        if name == "prelu":
            return self.node("LeakyRelu", [value], alpha=float(slope or 0.0))
        if name == "silu":
            return self.node("Mul", [value, self.node("Sigmoid", [value])])
        if name not in _ACTIVATIONS:
            raise NotDeployable(
                f'"{name}" has no ONNX operator; give it one in search/export/onnx/graph.py'
            )
        operator, attributes = _ACTIVATIONS[name]
        return self.node(operator, [value], **attributes)

    def convolution(self, kernel: Multiply, inputs: Sequence[str], before: Shape) -> str:
        """Apply a convolution, or a linear layer as one; inputs are the map, weights and bias."""
        window = kernel.window(before)
        return self.node(
            "Conv",
            inputs,
            kernel_shape=window.size,
            dilations=window.dilation,
            group=kernel.groups(before),
            **_strided(window),
        )

    def pool(self, kernel: PoolMap, value: str, before: Shape) -> str:
        """Apply a pool."""
        window = kernel.window(before)
        more = {"count_include_pad": 1} if kernel.is_mean else {}
        operator = "AveragePool" if kernel.is_mean else "MaxPool"
        return self.node(operator, [value], kernel_shape=window.size, **_strided(window), **more)

    def greatest(self, pool: Pool, value: str) -> str:
        """Apply the pool that is part of a convolution."""
        size = both(pool.size)
        return self.node("MaxPool", [value], kernel_shape=size, strides=size)

    def group_norm(self, kernel: GroupNormalise, arrays: Arrays, value: str, before: Shape) -> str:
        """Normalise each group of channels.

        The variance is that of the distances from the mean. The operator ``GroupNormalization`` may
        subtract the square of the mean from the mean of the squares, and lose all digits by it.
        """
        epsilon = self.constant(np.array([arrays.epsilon or 0.0], np.float32), "epsilon")
        axes = self.constant(np.array([2], np.int64), "axes")
        groups = self.constant(np.array([0, kernel.groups, -1], np.int64), "groups")
        channels = self.constant(np.array([-1, *before], np.int64), "shape")
        grouped = self.node("Reshape", [value, groups])
        distance = self.node("Sub", [grouped, self.node("ReduceMean", [grouped, axes])])
        squares = self.node("Mul", [distance, distance])
        variance = self.node("ReduceMean", [squares, axes])
        deviation = self.node("Sqrt", [self.node("Add", [variance, epsilon])])
        normal = self.node("Div", [distance, deviation])
        return self.line(self.node("Reshape", [normal, channels]), arrays)

    def model(self, logits: str, shape: Shape, classes: int, about: str) -> onnx.ModelProto:
        """Return the checked model; ``logits`` is a map of one pixel."""
        self._nodes.append(helper.make_node("Flatten", [logits], [OUTPUT], OUTPUT, axis=1))
        graph = helper.make_graph(
            self._nodes,
            "network",
            [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["n", *shape])],
            [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["n", classes])],
            self._constants,
        )
        made = helper.make_model(
            graph,
            producer_name="flyweight",
            doc_string=about,
            ir_version=_IR,
            opset_imports=[helper.make_opsetid("", OPSET)],
        )
        onnx.checker.check_model(made, full_check=True)
        return made


def single(values: Any) -> NDArray[np.float32]:
    """Return a tensor in single precision."""
    found: NDArray[np.float32] = values.detach().cpu().numpy().astype(np.float32)
    return found


def _by_channel(values: Any) -> NDArray[np.float32]:
    return single(values).reshape(1, -1, 1, 1)


def _strided(window: Window) -> dict[str, Sequence[int]]:
    down, right = window.padding
    return {"strides": window.stride, "pads": (down, right, down, right)}

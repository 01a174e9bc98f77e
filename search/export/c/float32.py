"""The layers of a float network in C."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from torch import Tensor

from search.deployed.folding import Arrays, FoldedNetwork
from search.export.c.geometry import Fields, Geometry
from search.export.c.source import Array, LayerCall, Program
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

__all__ = ["float_program"]

_NEEDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "windows": ("window",),
        "convolution": ("finish", "windows"),
        "depthwise": ("finish", "windows"),
        "pool": ("windows",),
    }
)


def float_program(network: FoldedNetwork) -> Program:
    """Return what the source of a network is written from."""
    deployed = network.deployed
    writer = _Writer(network)
    calls = [
        writer.call(kernel, arrays)
        for kernel, arrays in zip(deployed.kernels, network.arrays, strict=True)
    ]
    return writer.geometry.program(
        "float32",
        "float",
        _NEEDS,
        calls,
        before=[f"activation_{name}" for name in sorted(writer.activations)],
        includes=("math.h", "stddef.h"),
    )


class _Writer:
    def __init__(self, network: FoldedNetwork) -> None:
        self.geometry = Geometry(network.deployed)
        self.activations: set[str] = set()
        self._weights: dict[tuple[str, tuple[str, ...]], tuple[Array, Array]] = {}

    def call(self, kernel: Kernel, arrays: Arrays) -> LayerCall:
        """Return the entry of a kernel in the table of layers."""
        geometry = self.geometry
        match kernel:
            case Image():
                return LayerCall("image", {**_line(arrays), **geometry.image(kernel)}, "the image")
            case Multiply():
                return self._multiply(kernel, arrays)
            case PoolMap():
                fields: Fields = {
                    **geometry.pool(kernel),
                    "is_mean": int(kernel.is_mean),
                    "relu": int(kernel.relu),
                }
                return LayerCall("pool", fields, str(kernel.word))
            case Sum():
                fields = {**geometry.sum(kernel), "relu": int(kernel.relu)}
                return LayerCall("sum", fields, "skip")
            case Affine():
                line = _line(arrays)
                fields = {**line, **geometry.by_channel(kernel), "relu": int(kernel.relu)}
                return LayerCall("affine", fields, " ".join(kernel.norms) or "relu")
            case GroupNormalise():
                assert arrays.epsilon is not None
                fields = {
                    **_line(arrays),
                    "epsilon": _number(arrays.epsilon),
                    **geometry.by_channel(kernel),
                    "group_channels": geometry.shape(kernel.source)[0] // kernel.groups,
                    "relu": int(kernel.relu),
                }
                return LayerCall("group_norm", fields, kernel.path)
            case Table():
                fields = {
                    **self._activation(kernel.activation, arrays, ""),
                    **geometry.places(kernel),
                    "count": elements(geometry.shape(kernel.source)),
                }
                return LayerCall("activation", fields, kernel.path)

    def _multiply(self, kernel: Multiply, arrays: Arrays) -> LayerCall:
        key = kernel.weights_key
        if key not in self._weights:
            assert arrays.weight is not None
            assert arrays.bias is not None
            self._weights[key] = (
                _array(self.geometry.ordered(kernel, arrays.weight), f"weights of {kernel.path}"),
                _array(arrays.bias, f"biases of {kernel.path}"),
            )
        weights, bias = self._weights[key]
        fields: Fields = {"weights": weights, "bias": bias}
        if kernel.scaled:
            fields |= {f"finish.{name}": value for name, value in _line(arrays).items()}
        if kernel.activation:
            fields |= self._activation(kernel.activation, arrays, "finish.")
        fields |= {
            "finish.rectify": int(kernel.rectify),
            "finish.relu": int(kernel.relu),
            **self.geometry.multiply(kernel),
        }
        return LayerCall(self.geometry.function(kernel), fields, self.geometry.description(kernel))

    def _activation(self, name: str, arrays: Arrays, prefix: str) -> Fields:
        self.activations.add(name)
        return {
            f"{prefix}activation": f"{name}_of",
            f"{prefix}slope": _number(arrays.slope or 0.0),
        }


def _line(arrays: Arrays) -> Fields:
    assert arrays.scale is not None
    assert arrays.shift is not None
    return {"scale": _array(arrays.scale, "scales"), "shift": _array(arrays.shift, "shifts")}


def _array(values: Tensor, about: str) -> Array:
    single = values.flatten().float().tolist()
    return Array("float", [_number(value) for value in single], about)


def _number(value: float) -> str:
    """Write a number of single precision so that C reads the same one."""
    text = f"{value:.9g}"
    return f"{text}f" if any(mark in text for mark in ".en") else f"{text}.0f"

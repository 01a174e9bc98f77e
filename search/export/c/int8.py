"""The layers of an int8 network in C."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from torch import Tensor

from search.deployed.quantise import QuantisedNetwork, Tables
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

__all__ = ["NEEDS", "int8_program"]

NEEDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "image": ("stored",),
        "windows": ("window",),
        "convolution": ("stored", "windows"),
        "depthwise": ("stored", "windows"),
        "pool": ("stored", "windows"),
        "sum": ("stored",),
        "affine": ("stored",),
        "group_norm": ("stored",),
    }
)
"""What each function uses beside itself."""


def int8_program(network: QuantisedNetwork) -> Program:
    """Return what the source of a network is written from."""
    writer = _Writer(network)
    calls = [writer.call(number, kernel) for number, kernel in enumerate(network.deployed.kernels)]
    program = writer.geometry.program("int8", "int8_t", NEEDS, calls)
    logits = network.scalings[network.deployed.logits]
    return replace(program, logits_scaling=(logits.scale, logits.zero))


class _Writer:
    def __init__(self, network: QuantisedNetwork) -> None:
        self.geometry = Geometry(network.deployed)
        self._network = network
        self._weights: dict[tuple[str, tuple[str, ...]], Array] = {}

    def call(self, number: int, kernel: Kernel) -> LayerCall:
        """Return the entry of a kernel in the table of layers."""
        tables, geometry = self._network.tables[number], self.geometry
        fields = _line(tables)
        match kernel:
            case Image():
                fields |= {**geometry.image(kernel), "shift": tables.shift}
                return LayerCall("image", fields, "the image")
            case Multiply():
                return self._multiply(number, kernel, tables)
            case PoolMap():
                fields |= {
                    **geometry.pool(kernel),
                    "shift": tables.shift,
                    "zero": self._zero(kernel.source),
                    "zero_stored": self._zero(kernel.target),
                    "low": tables.low,
                }
                return LayerCall("pool", fields, str(kernel.word))
            case Sum():
                fields |= {
                    **geometry.sum(kernel),
                    "shift": tables.shift,
                    "zero": self._zero(kernel.source),
                    "zero_other": self._zero(kernel.other),
                    "zero_stored": self._zero(kernel.target),
                    "low": tables.low,
                }
                return LayerCall("sum", fields, "skip")
            case Affine():
                fields |= {**geometry.by_channel(kernel), **self._stored(kernel, tables)}
                return LayerCall("affine", fields, " ".join(kernel.norms) or "relu")
            case GroupNormalise():
                high, low = divmod(tables.epsilon, 1 << 32)
                fields |= {
                    "epsilon_high": high,
                    "epsilon_low": low,
                    **geometry.by_channel(kernel),
                    "group_channels": geometry.shape(kernel.source)[0] // kernel.groups,
                    **self._stored(kernel, tables),
                }
                return LayerCall("group_norm", fields, kernel.path)
            case Table():
                assert tables.table is not None
                fields = {
                    "table": _array("int8_t", tables.table, kernel.activation),
                    **geometry.places(kernel),
                    "count": elements(geometry.shape(kernel.source)),
                }
                return LayerCall("table", fields, kernel.path)

    def _zero(self, value: int) -> int:
        return self._network.scalings[value].zero

    def _stored(self, kernel: Affine | GroupNormalise, tables: Tables) -> Fields:
        return {"shift": tables.shift, "zero": self._zero(kernel.source), "low": tables.low}

    def _multiply(self, number: int, kernel: Multiply, tables: Tables) -> LayerCall:
        assert tables.weight is not None
        assert tables.bias is not None
        fields: Fields = {
            "weights": self._weights_of(kernel, tables.weight),
            "bias": _array("int32_t", tables.bias, f"biases of {kernel.path}"),
            **_line(tables),
        }
        if tables.table is not None:
            fields["table"] = _array("int8_t", tables.table, f"{kernel.activation}")
        stored = self._network.between.get(number, self._network.scalings[kernel.target])
        fields |= {
            **self.geometry.multiply(kernel),
            "shift": tables.shift,
            "rectify": int(kernel.rectify),
            "zero": self._zero(kernel.source),
            "zero_stored": stored.zero,
            "low": tables.low,
        }
        return LayerCall(self.geometry.function(kernel), fields, self.geometry.description(kernel))

    def _weights_of(self, kernel: Multiply, weight: Tensor) -> Array:
        key = kernel.weights_key
        if key not in self._weights:
            about = f"weights of {kernel.path}"
            self._weights[key] = _array("int8_t", self.geometry.ordered(kernel, weight), about)
        return self._weights[key]


def _line(tables: Tables) -> Fields:
    fields: Fields = {}
    if tables.factor is not None:
        fields["factor"] = _array("int32_t", tables.factor, "factors")
    if tables.offset is not None:
        fields["offset"] = _array("int32_t", tables.offset, "offsets")
    return fields


def _array(kind: str, values: Tensor, about: str) -> Array:
    return Array(kind, [str(value) for value in values.flatten().tolist()], about)

"""A deployed network in int8, as an ONNX model with quantised operators.

Each map is quantised and read back (QuantizeLinear, DequantizeLinear), weights and biases are read
back from whole numbers; a runtime makes operators on whole numbers of that. It rounds in other
places than the reference, so its whole numbers may differ by one.
"""

from __future__ import annotations

import numpy as np
import onnx

from search.deployed.folding import Arrays, FoldedNetwork
from search.deployed.quantise import QuantisedNetwork, Scaling
from search.export.onnx.floats import Writer
from search.export.onnx.graph import single
from space.deployed.kernels import Multiply

__all__ = ["int8_model"]


def int8_model(folded: FoldedNetwork, network: QuantisedNetwork, about: str) -> onnx.ModelProto:
    """Return the model, which normalises images of 0 to 1 itself.

    Args:
        folded: the network in floats.
        network: the same in whole numbers.
        about: a text that the file carries.
    """
    return _Int8Writer(folded, network).model(about)


class _Int8Writer(Writer):
    def __init__(self, folded: FoldedNetwork, network: QuantisedNetwork) -> None:
        super().__init__(folded)
        self._quantised = network

    def weights(self, number: int, kernel: Multiply, arrays: Arrays) -> tuple[str, str]:
        """Add weights and biases as whole numbers; return what they stand for."""
        tables = self._quantised.tables[number]
        assert tables.weight is not None
        assert tables.bias is not None
        assert tables.scales is not None
        products = tables.scales * self._quantised.scalings[kernel.source].scale
        read = []
        for name, whole, scales in (
            ("weight", tables.weight, tables.scales),
            ("bias", tables.bias, products),
        ):
            values = self.graph.constant(whole.numpy(), name)
            scale = self.graph.constant(single(scales), f"{name}_scale")
            zero = self.graph.constant(np.zeros(len(scales), whole.numpy().dtype), f"{name}_zero")
            read.append(self.graph.node("DequantizeLinear", [values, scale, zero], axis=0))
        return read[0], read[1]

    def looked_up(self, number: int, value: str) -> str:
        """Quantise what a table is looked up for."""
        return self._round(value, self._quantised.between[number])

    def stored(self, value: str, target: int) -> str:
        """Quantise what is stored."""
        return self._round(value, self._quantised.scalings[target])

    def _round(self, value: str, scaling: Scaling) -> str:
        scale = self.graph.constant(np.array(scaling.scale, np.float32), "scale")
        zero = self.graph.constant(np.array(scaling.zero, np.int8), "zero")
        whole = self.graph.node("QuantizeLinear", [value, scale, zero])
        return self.graph.node("DequantizeLinear", [whole, scale, zero])

"""The networks that both sides train, in the layer language."""

from __future__ import annotations

from dataclasses import dataclass

from space import Architecture, cost

__all__ = ["NETS", "Net"]


@dataclass(frozen=True)
class Net:
    """One network of the benchmark.

    Attributes:
        name: as the commands take it.
        text: its lines.
        parameters: what it must cost.
    """

    name: str
    text: str
    parameters: int

    def architecture(self) -> Architecture:
        """Returns it parsed.

        Raises:
            ValueError: if it does not cost what it should.
        """
        architecture = Architecture.parse(self.text)
        found = cost(architecture).parameters
        if found != self.parameters:
            raise ValueError(f"{self.name} has {found} parameters, not {self.parameters}")
        return architecture


_SEED002 = """
conv3 12 relu bn drop0.1
conv3 14 relu bn
maxpool2
conv1 10
conv3 14 relu bn drop0.1
conv3 14 relu bn drop0.1
conv3 16 relu bn drop0.1
conv3 16 relu bn drop0.1
gap
conv1 10
"""

_SEED001 = """
conv3 10 bn relu drop0.02
conv3 10 bn relu drop0.02
maxpool2
conv3 16 bn relu drop0.02
conv3 16 bn relu drop0.02
maxpool2
conv3 10 bn relu drop0.02
conv1 10
gap
"""

_SEPARABLE = """
conv3 16 pad1 bn relu
separable3 16 pad1 bn relu
maxpool2
separable3 24 pad1 bn relu
separable3 24 pad1 bn relu
maxpool2
separable3 32 pad1 bn relu
gap
linear 10
"""

NETS = {
    net.name: net
    for net in (
        Net("seed002", _SEED002, 9_436),
        Net("seed001", _SEED001, 6_398),
        Net("separable", _SEPARABLE, 3_402),
    )
}
"""Two hand-made networks of the seeds, and one of separable convolutions without dropout."""

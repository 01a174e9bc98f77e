"""The table of activation functions, the one place where an activation is added.

Parsing, the list in errors, the values of the study field ``activation``, the built module and the
exported source all follow from an entry here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ActivationEntry:
    """One activation of the layer language.

    Attributes:
        word: its spelling on a line.
        module: the name of its module in ``torch.nn``, which needs no arguments.
        function: the name of its function in ``torch.nn.functional``; None where it has weights.
        in_place: whether its module takes ``inplace=True`` and its gradient needs only its output,
            so that the network may let it overwrite its input.
        parameters: how many weights it has, whatever its map.
    """

    word: str
    module: str
    function: str | None
    in_place: bool = False
    parameters: int = 0


_ENTRIES = (
    ActivationEntry("relu", "ReLU", "relu", in_place=True),
    ActivationEntry("leakyrelu", "LeakyReLU", "leaky_relu", in_place=True),  # of slope 0.01
    ActivationEntry("silu", "SiLU", "silu"),
    ActivationEntry("hardswish", "Hardswish", "hardswish"),
    ActivationEntry("gelu", "GELU", "gelu"),
    ActivationEntry("elu", "ELU", "elu"),
    ActivationEntry("tanh", "Tanh", "tanh"),
    ActivationEntry("sigmoid", "Sigmoid", "sigmoid"),
    ActivationEntry("prelu", "PReLU", None, parameters=1),  # one slope, 0.25 at first
)

ACTIVATIONS: dict[str, ActivationEntry] = {entry.word: entry for entry in _ENTRIES}
"""Every activation by its word."""

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
        function: the name of its function in ``torch.nn.functional``.
        in_place: whether its module takes ``inplace=True`` and its gradient needs only its output,
            so that the network may let it overwrite its input.
    """

    word: str
    module: str
    function: str
    in_place: bool = False


_ENTRIES = (
    ActivationEntry("relu", "ReLU", "relu", in_place=True),
    ActivationEntry("leakyrelu", "LeakyReLU", "leaky_relu", in_place=True),  # of slope 0.01
    ActivationEntry("silu", "SiLU", "silu"),
    ActivationEntry("hardswish", "Hardswish", "hardswish"),
)

ACTIVATIONS: dict[str, ActivationEntry] = {entry.word: entry for entry in _ENTRIES}
"""Every activation by its word."""

"""What an exported network says of itself, in the file that every format writes."""

from __future__ import annotations

import json
from dataclasses import asdict

from search.export.trained_network import TrainedNetwork
from space.cost import cost
from trainer.words import spelled

__all__ = ["C_FORMAT", "C_INT8_FORMAT", "INT8_FORMAT", "ONNX_FORMAT", "description_text"]

ONNX_FORMAT, INT8_FORMAT = "flyweight-onnx", "flyweight-int8"
C_FORMAT, C_INT8_FORMAT = "flyweight-c", "flyweight-c-int8"
"""Values of the key ``format``, beside ``PACKAGE_FORMAT`` for ``torch``."""

_VERSION = 1


def description_text(trained: TrainedNetwork, kind: str, **more: object) -> str:
    """Return the text of the description, JSON.

    Args:
        trained: the network.
        kind: the value of its key ``format``.
        **more: further keys of that format; ``files`` names all files of the folder, which a later
            export may replace.
    """
    price = cost(trained.architecture)
    values = {
        "format": kind,
        "version": _VERSION,
        "name": trained.name,
        "dataset": trained.dataset,
        "classes": [spelled(name) for name in trained.class_names],  # so that each can be printed
        "architecture": trained.architecture.to_json(),
        "normalisation": asdict(trained.normalisation),
        "reading": trained.reading.to_dict(),
        "cost": {**asdict(price), "activation_kib": price.activation_kib},
        "recipe": trained.recipe.to_dict(),
        "figures": trained.figures.to_dict(),
        **more,
    }
    return json.dumps(values, indent=2, allow_nan=False) + "\n"

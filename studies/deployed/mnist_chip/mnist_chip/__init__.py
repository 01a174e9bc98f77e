"""A trained network of 5,176 parameters; README.md tells more."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import load_file

from .network import MnistChipNet

__all__ = ["CLASSES", "MnistChipNet", "load"]

_FOLDER = Path(__file__).parent

CLASSES: tuple[str, ...] = tuple(
    json.loads((_FOLDER / "architecture.json").read_text(encoding="utf-8"))["classes"]
)
"""The name of each class, in the order of the logits."""


def load(device: str | torch.device = "cpu") -> MnistChipNet:
    """Give the trained network on a device, in evaluation mode."""
    network = MnistChipNet()
    network.load_state_dict(load_file(_FOLDER / "weights.safetensors"))
    return network.to(device).eval()

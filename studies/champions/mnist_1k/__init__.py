"""A trained network of 999 parameters; README.md tells more."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import load_file

from .network import Mnist1kNet

__all__ = ["CLASSES", "Mnist1kNet", "load"]

_FOLDER = Path(__file__).parent

CLASSES: tuple[str, ...] = tuple(
    json.loads((_FOLDER / "architecture.json").read_text(encoding="utf-8"))["classes"]
)
"""The name of each class, in the order of the logits."""


def load(device: str | torch.device = "cpu") -> Mnist1kNet:
    """Give the trained network on a device, in evaluation mode."""
    network = Mnist1kNet()
    network.load_state_dict(load_file(_FOLDER / "weights.safetensors"))
    return network.to(device).eval()

"""The layer language: its words, one line of them, and the maps between lines."""

from __future__ import annotations

from space.layers.layer import Layer
from space.layers.operations import Conv, Depthwise, Gap, Linear, Pool, Separable
from space.layers.words import (
    Activation,
    Again,
    BatchNorm,
    Dropout,
    Dropout2d,
    ElementWise,
    GhostBatchNorm,
    GroupNorm,
    LayerNorm,
    Operation,
    Shape,
    Skip,
    Word,
)

__all__ = [
    "Activation",
    "Again",
    "BatchNorm",
    "Conv",
    "Depthwise",
    "Dropout",
    "Dropout2d",
    "ElementWise",
    "Gap",
    "GhostBatchNorm",
    "GroupNorm",
    "Layer",
    "LayerNorm",
    "Linear",
    "Operation",
    "Pool",
    "Separable",
    "Shape",
    "Skip",
    "Word",
]

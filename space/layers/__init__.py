"""The layer language: its words, one line of them, and the maps between lines."""

from __future__ import annotations

from space.layers.layer import Layer
from space.layers.operations import Conv, Depthwise, Gap, Linear, Pool, Separable
from space.layers.words import (
    Activation,
    Again,
    BatchNorm,
    Dropout,
    ElementWise,
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
    "ElementWise",
    "Gap",
    "Layer",
    "Linear",
    "Operation",
    "Pool",
    "Separable",
    "Shape",
    "Skip",
    "Word",
]

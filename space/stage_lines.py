"""The lines that a space by stages puts together."""

from __future__ import annotations

from space.layers import Activation, BatchNorm, Conv, Dropout, Gap, Layer, Separable, Shape, Skip
from space.layers import Linear, Word
from space.operations import EVEN_KERNELS, MAX_KERNEL

"""The lines that a space by stages puts together."""

from __future__ import annotations

from functools import lru_cache

from space.layers import (
    Activation,
    BatchNorm,
    Conv,
    Dropout,
    Gap,
    Layer,
    Linear,
    Operation,
    Separable,
    Shape,
    Skip,
    Word,
)
from space.layers.operations import EVEN_KERNELS, MAX_KERNEL
from space.layers.spelling import Sides

GAP = Layer((Gap(),))

_KEPT = 4096
"""Lines are values; a sampler that tries thousands of networks makes few different ones."""

HIDDEN_HEADS = ("gap-conv", "gap-linear")


def convolution(
    block: str, kernel: int, width: int, *, padding: int, stride: int, bias: bool
) -> Conv | Separable:
    """Return the operation of a block: ``"conv"`` or ``"separable"``."""
    return _convolution(block, kernel, width, padding, stride, bias)


@lru_cache(_KEPT)
def _convolution(
    block: str, kernel: int, width: int, padding: int, stride: int, bias: bool
) -> Conv | Separable:
    make = Separable if block == "separable" else Conv
    return make(kernel, width, padding=padding, stride=stride, bias=bias)


def same_padding(kernel: int) -> int:
    """Return the padding that keeps the map's size; for an even kernel the map shrinks by one."""
    return (kernel - 1) // 2


def padding_of(kernel: int, word: object) -> int:
    """Return the padding, in pixels, that ``"same"`` or ``"valid"`` means for a kernel."""
    return same_padding(kernel) if word == "same" else 0


def can_skip(kernel: int, padding: int, stride: int) -> bool:
    """Return whether a convolution keeps the size of its map, which a skip needs."""
    return kernel == 2 * padding + 1 and stride == 1


def has_norm(order: str) -> bool:
    """Return whether the lines of an order have a norm."""
    return "bn" in order.split("-")


def block_line(
    operation: Operation,
    order: str,
    activation: str,
    *,
    scale: bool = True,
    skip: bool = False,
    dropout: float = 0.0,
) -> Layer:
    """Return a line of an operation with norm and activation, in the order of ``order``.

    The norm has a scale unless told. A skip is added before the activation, as in ResNet, or last
    where the norm is; dropout, rounded to 3 decimals, ends the line.
    """
    return _block_line(operation, order, activation, scale, skip, round(dropout, 3))


@lru_cache(_KEPT)
def _block_line(
    operation: Operation, order: str, activation: str, scale: bool, skip: bool, rate: float
) -> Layer:
    activate, norm = Activation(activation), BatchNorm(scale=scale)
    add = (Skip(),) if skip else ()
    tails: dict[str, tuple[Word, ...]] = {
        "conv-bn-relu": (norm, *add, activate),
        "conv-relu-bn": (activate, norm, *add),
        "conv-relu": (*add, activate),
    }
    drop = (Dropout(rate),) if rate else ()
    return Layer((operation, *tails[order], *drop))


def head_lines(
    head: str, shape: Shape, classes: int, *, bias: bool, hidden: Layer | None = None
) -> list[Layer]:
    """Return the lines from the last convolution's map to the logits.

    Args:
        head: one of ``HEADS``.
        shape: the map that the head gets.
        classes: how many logits.
        bias: whether a convolution that classifies has a bias; a linear layer always has.
        hidden: a line on the averaged map, for those heads that average first.
    """
    after_gap = [GAP] if hidden is None else [GAP, hidden]
    if head == "gap":
        return [GAP]
    if head == "gap-linear":
        return [*after_gap, Layer((Linear(classes),))]
    if head == "full-conv":
        return [Layer((Conv(_whole_map(shape), classes, bias=bias),))]
    classifier = Layer((Conv(1, classes, bias=bias),))
    return [classifier, GAP] if head == "conv-gap" else [*after_gap, classifier]


def _whole_map(shape: Shape) -> Sides:
    """Return the largest kernel that fits, which leaves one pixel only of a map of its size.

    A square one has a side that is odd, 2, 4 or 6.
    """
    height, width = (max(1, min(side, MAX_KERNEL)) for side in shape[1:])
    if height != width:
        return height, width
    return height if height % 2 or height in EVEN_KERNELS else height - 1

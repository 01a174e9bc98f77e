"""The words that the architectures of a space by stages can have."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from space.layers import Shape, Word
from space.layers.operations import Pool
from space.stages.fields import Fields, most
from space.stages.lines import HIDDEN_HEADS, block_line, convolution, head_lines, padding_of


def words_of(fields: Fields, input_shape: Shape, classes: int) -> Iterator[Word]:
    """List every word, with the smallest width and the largest rate where these make no other.

    Some come more than once, and a combination of values that no candidate can have may be among
    them.

    Args:
        fields: all fields of the space.
        input_shape: of an image.
        classes: how many logits.
    """
    values = {name: placed.field.values() for name, placed in fields.items() if name != "dropout"}
    width, dropout = int(fields["width"].field.minimum), float(fields["dropout"].field.maximum)
    pools = [str(pool) for pool in values["pool"]] if most(fields, "stages") > 1 else []
    strides = {*map(int, values["stem_stride"]), 1} | {2 for pool in pools if pool == "stride"}
    for block, kernel, padding, stride, bias in product(
        values["block"], map(int, values["kernel"]), values["padding"], strides, values["bias"]
    ):
        yield convolution(
            str(block),
            kernel,
            width,
            padding=padding_of(kernel, padding),
            stride=stride,
            bias=bool(bias),
        )
    one = convolution("conv", 1, width, padding=0, stride=1, bias=False)
    scales = {bool(scale) for scale in values["norm_scale"]} | {"gap" in values["head"]}
    for order, activation, scale, skip in product(
        values["order"], values["activation"], sorted(scales), values["skip"]
    ):
        line = block_line(
            one, str(order), str(activation), scale=scale, skip=bool(skip), dropout=dropout
        )
        yield from line.words[1:]
    for pool in pools:
        if pool != "stride":
            yield Pool("avg" if pool == "avg" else "max", 2)
    between = most(fields, "stages") > 1 and set(values["transition"]) != {"none"}
    for head, bias in product(map(str, values["head"]), values["bias"]):
        for line in head_lines(head, input_shape, classes, bias=bool(bias)):
            yield from line.words
        hidden = head in HIDDEN_HEADS and most(fields, "head_hidden") > 0
        if hidden or between:
            yield convolution("conv", 1, width, padding=0, stride=1, bias=bool(bias))
        if hidden:
            yield from block_line(one, "conv-relu", "relu").words[1:]

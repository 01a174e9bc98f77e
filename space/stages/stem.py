"""How many channels a limit on activations leaves to the first convolution of a space by stages."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product

from space.cost import held_at_once
from space.layers import Operation, Shape
from space.layers.words import MAX_CHANNELS
from space.stages.fields import STAGE_FIELDS, Fields, most
from space.stages.lines import convolution, padding_of

_WIDTHS = range(1, MAX_CHANNELS + 1)


@dataclass(frozen=True)
class StemRoom:
    """The room that a limit leaves to the first convolution, whichever the other values are.

    Attributes:
        shape: the map that the convolution reads: an image.
        operation: the convolution that has the most channels within the limit, or one of a single
            channel where none is within it.
        channels: how many it has; 0 where even one is too many.
        widest: the most channels that the space allows.
        share: the share of the widths of the space that the limit allows, 0 to 1.
        better: the smallest stride that the space does not have yet and that leaves more channels,
            and how many; None where no stride helps.
    """

    shape: Shape
    operation: Operation
    channels: int
    widest: int
    share: float
    better: tuple[int, int] | None


def stem_room(fields: Fields, input_shape: Shape, elements: int) -> StemRoom:
    """Find how many channels the first convolution can have within so many activations.

    Args:
        fields: all fields of the space.
        input_shape: of an image.
        elements: the most numbers that may be held at once.
    """
    strides = sorted(map(int, fields["stem_stride"].field.values()))
    channels, operation = max(
        (_most_channels(fields, input_shape, elements, stride) for stride in strides),
        key=lambda found: found[0],
    )
    widths = list(map(int, fields["width"].field.values()))
    better = None
    largest = int(STAGE_FIELDS["stem_stride"].high or 1)
    for stride in range(strides[-1] + 1, largest + 1):
        allowed, _ = _most_channels(fields, input_shape, elements, stride)
        if allowed > channels:
            better = stride, allowed
            break
    return StemRoom(
        input_shape,
        operation,
        channels,
        most(fields, "width"),
        sum(width <= channels for width in widths) / len(widths),
        better,
    )


def _most_channels(
    fields: Fields, shape: Shape, elements: int, stride: int
) -> tuple[int, Operation]:
    """Return the most channels of any first convolution with a stride, and that convolution."""
    bare = convolution("conv", 1, 1, padding=0, stride=stride, bias=False)
    found: list[tuple[int, Operation]] = [(0, bare)]
    for block, kernel, padding in product(
        map(str, fields["block"].field.values()),
        map(int, fields["kernel"].field.values()),
        fields["padding"].field.values(),
    ):
        make = partial(
            convolution,
            block,
            kernel,
            padding=padding_of(kernel, padding),
            stride=stride,
            bias=False,
        )
        if min(make(1).output(shape)[1:]) >= 1:
            channels = bisect_right(_WIDTHS, elements, key=partial(_held, make, shape))
            found.append((channels, make(max(channels, 1))))
    return max(found, key=lambda each: each[0])


def _held(make: Callable[[int], Operation], shape: Shape, width: int) -> int:
    return held_at_once(make(width), shape)

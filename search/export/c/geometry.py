"""What the layers of all number formats are given: places, shapes and windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from torch import Tensor

from search.export.c.source import Array, LayerCall, Program
from space.deployed.arena import plan_arena
from space.deployed.flash import function_of
from space.deployed.kernels import (
    Affine,
    Deployed,
    GroupNormalise,
    Image,
    Kernel,
    Multiply,
    PoolMap,
    Sum,
    Window,
)
from space.layers.operations import Depthwise, Linear
from space.layers.spelling import both
from space.layers.words import Shape, elements

__all__ = ["Fields", "Geometry"]

Fields: TypeAlias = dict[str, int | str | Array]


class Geometry:
    """Places, shapes and windows of a network's layers.

    Args:
        deployed: the network.
    """

    def __init__(self, deployed: Deployed) -> None:
        self._deployed = deployed
        self._plan = plan_arena(deployed)

    def program(
        self,
        runtime: str,
        element: str,
        needs: Mapping[str, Sequence[str]],
        calls: Sequence[LayerCall],
        before: Sequence[str] = (),
        includes: Sequence[str] = ("stddef.h",),
    ) -> Program:
        """Return what a source is written from; the arguments are as in :class:`Program`."""
        return Program(
            runtime=runtime,
            element=element,
            needs=needs,
            arena=self._plan.elements,
            image=self.place(0),
            logits=self.place(self._deployed.logits),
            shape=self.shape(0),
            classes=elements(self.shape(self._deployed.logits)),
            calls=calls,
            before=before,
            includes=includes,
        )

    def place(self, value: int) -> int:
        """Return where a value lies."""
        return self._plan.offsets[self._deployed.values[value].buffer]

    def shape(self, value: int) -> Shape:
        """Return the shape of a value."""
        return self._deployed.values[value].shape

    def function(self, kernel: Kernel) -> str:
        """Return the name of the function that computes a kernel."""
        return function_of(kernel)

    def description(self, kernel: Multiply) -> str:
        """Return what a layer with weights is, for a comment."""
        return " ".join([kernel.path, str(kernel.word), *map(str, filter(None, [kernel.pool]))])

    def ordered(self, kernel: Multiply, weight: Tensor) -> Tensor:
        """Return weights (out, in of a group, height, width) in the order of the functions."""
        order = (1, 2, 3, 0) if isinstance(kernel.word, Depthwise) else (0, 2, 3, 1)
        return weight.permute(order)

    def places(self, kernel: Kernel) -> Fields:
        """Return where a kernel reads and writes."""
        return {"in": self.place(kernel.source), "out": self.place(kernel.target)}

    def image(self, kernel: Image) -> Fields:
        """Return the place and the size of the image."""
        channels, height, width = self.shape(kernel.source)
        place = self.place(kernel.source)
        return {"map": place, "pixels": height * width, "channels": channels}

    def by_channel(self, kernel: Affine | GroupNormalise) -> Fields:
        """Return places and sizes of a kernel that treats each channel in its way."""
        channels, height, width = self.shape(kernel.source)
        return {**self.places(kernel), "pixels": height * width, "channels": channels}

    def sum(self, kernel: Sum) -> Fields:
        """Return places and size of a sum."""
        count = elements(self.shape(kernel.source))
        return {**self.places(kernel), "other": self.place(kernel.other), "count": count}

    def multiply(self, kernel: Multiply) -> Fields:
        """Return places, sizes and windows of a convolution or a linear layer.

        A linear layer reads its map, which is one run of memory, as one pixel.
        """
        before, after = self.shape(kernel.source), self.shape(kernel.target)
        window, groups = kernel.window(before), kernel.groups(before)
        if isinstance(kernel.word, Linear):
            before, window = (elements(before), 1, 1), Window((1, 1))
        pool = (1, 1) if kernel.pool is None else both(kernel.pool.size)
        fields = self._windows(kernel, before, window, pool)
        if not isinstance(kernel.word, Depthwise):
            fields |= {
                "group_channels": before[0] // groups,
                "group_out_channels": after[0] // groups,
            }
        return fields

    def pool(self, kernel: PoolMap) -> Fields:
        """Return places, sizes and windows of a pool."""
        before = self.shape(kernel.source)
        return self._windows(kernel, before, kernel.window(before), (1, 1))

    def _windows(
        self, kernel: Multiply | PoolMap, before: Shape, window: Window, pool: tuple[int, int]
    ) -> Fields:
        (channels, height, width), after = before, self.shape(kernel.target)
        fields: Fields = {
            **self.places(kernel),
            "height": height,
            "width": width,
            "channels": channels,
            "out_height": after[1],
            "out_width": after[2],
            "out_channels": after[0],
            **_sides("window", window.size),
            **_sides("stride", window.stride),
            **_sides("padding", window.padding),
            **_sides("dilation", window.dilation),
            **_sides("pool", pool),
        }
        return {f"windows.{name}": value for name, value in fields.items()}


def _sides(name: str, sides: tuple[int, int]) -> Fields:
    return {f"{name}_height": sides[0], f"{name}_width": sides[1]}

"""A lower bound on the cost of a template: every way to fill each line, widths least."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from space.fields import Field
from space.layers import Layer, Shape
from space.lower_bound import FREE, CostBound, Least, Move, advance, apply, finish
from space.template.line import TemplateLine

MAX_MOVES = 300_000
_ADVICE = "allow kernels, paddings and pools that the maps have room for, and end with gap"

# A map, and the lines applied last, which an ``again`` may apply once more.
_State = tuple[Shape, tuple[Layer, ...]]


def lower_bound(
    lines: Sequence[TemplateLine], fields: Mapping[str, Field], input_shape: Shape, classes: int
) -> CostBound:
    """Return the least that any candidate of a template costs.

    Nearly exact: only where one hole stands on several lines, each line is bounded as if it
    could choose for itself. All zero when following every way would take too long.

    Raises:
        SearchSpaceError: no candidate of the space can ever be built.
    """
    fillings = [
        list(dict.fromkeys(variant.layer for variant in line.variants(fields, least=True)))
        for line in lines
    ]
    agains = [layer.again for filling in fillings for layer in filling if layer is not None]
    memory = max((again.lines for again in agains if again is not None), default=0)
    front: dict[_State, Least] = {(input_shape, ()): FREE}
    for filling in fillings:
        if len(front) * len(filling) > MAX_MOVES:
            return CostBound(0, 0, 0)
        front = advance(front, _Filled(filling, memory).moves)
    ends = ((shape, costs) for (shape, _), costs in front.items())
    return finish(ends, input_shape, classes, _ADVICE)


class _Filled:
    """The ways to fill one line."""

    def __init__(self, filling: Sequence[Layer | None], memory: int) -> None:
        self._filling = filling
        self._memory = memory

    def moves(self, state: _State) -> Iterator[Move[_State]]:
        """Apply the line, or the lines that it applies once more, in every way."""
        shape, recent = state
        for layer in self._filling:
            if layer is None:
                yield state, FREE
            elif layer.again is None:
                yield from self._apply(shape, recent, [layer], shared=False)
            elif layer.again.lines <= len(recent):
                yield from self._apply(shape, recent, recent[-layer.again.lines :], shared=True)

    def _apply(
        self, shape: Shape, recent: tuple[Layer, ...], layers: Sequence[Layer], *, shared: bool
    ) -> Iterator[Move[_State]]:
        costs = FREE
        for layer in layers:
            applied = apply(layer, shape)
            if applied is None:
                return
            shape, extra = applied
            costs = costs.then(extra._replace(parameters=0, flash=0) if shared else extra)
        applied_last = (*recent, *layers)
        yield (shape, applied_last[-self._memory :] if self._memory else ()), costs

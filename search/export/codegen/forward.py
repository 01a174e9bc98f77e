"""Write the forward pass of a network as statements of source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from search.export.codegen.blocks import ApplyBlock, Block, SourcePlan, SourceStep
from search.export.codegen.layers import function_call
from space.layers.words import Shape
from space.program import Add, Keep

__all__ = ["Statement", "forward_statements"]

_LONGEST_BODY = 64


@dataclass(frozen=True)
class Statement:
    """One line of the forward pass.

    Attributes:
        text: the source.
        shape: of ``x`` after it, None where that did not change or differs between rounds.
        level: 1 inside a loop.
    """

    text: str
    shape: Shape | None = None
    level: int = 0


def forward_statements(plan: SourcePlan) -> list[Statement]:
    """Write the statements that turn ``x``, normalised images, into logits and return them."""
    *statements, last = _with_loops(_statements(plan.steps))
    if plan.gives_maps:
        return [*statements, last, Statement("return x.flatten(1)")]
    if last.level:
        return [*statements, last, Statement("return x")]
    return [*statements, Statement(f"return {last.text.removeprefix('x = ')}")]


def _statements(steps: Sequence[SourceStep]) -> list[Statement]:
    """Write the steps one after another, a skip around one block in one line."""
    statements: list[Statement] = []
    names: dict[int, int] = {}
    most = index = 0
    while index < len(steps):
        used = 1
        match steps[index : index + 3]:
            case [
                Keep(slot=slot, uses=1),
                ApplyBlock(block, shape),
                Add(slot=added),
            ] if slot == added and block.name:
                statements.append(Statement(f"x = x + self.{block.name}(x)", shape))
                used = 3
            case [Keep(slot=slot, uses=1), Add(slot=added), *_] if slot == added:
                statements.append(Statement("x = x + x"))
                used = 2
            case [Keep(slot=slot), *_]:
                names[slot] = min(set(range(1, len(names) + 2)) - set(names.values()))
                most = max(most, names[slot])
                statements.append(Statement(f"shortcut{names[slot]} = x"))
            case [ApplyBlock(block, shape), Add(slot=slot, last=last), *_] if block.name:
                text = f"x = self.{block.name}(x) + shortcut{names[slot]}"
                statements.append(Statement(text, shape))
                used = 2
                if last:
                    del names[slot]
            case [ApplyBlock(block, shape), *_]:
                statements += _applied(block, shape)
            case [Add(slot=slot, last=last), *_]:
                statements.append(Statement(f"x = x + shortcut{names[slot]}"))
                if last:
                    del names[slot]
        index += used
    if most == 1:
        return [replace(s, text=s.text.replace("shortcut1", "shortcut")) for s in statements]
    return statements


def _applied(block: Block, shape: Shape) -> Iterator[Statement]:
    if block.name:
        yield Statement(f"x = self.{block.name}(x)", shape)
        return
    for leaf in block.leaves:
        yield Statement(f"x = {function_call(leaf)}", leaf.output)


def _with_loops(statements: list[Statement]) -> Iterator[Statement]:
    """Write what is repeated as a loop, where that is shorter."""
    index = 0
    while index < len(statements):
        rest = statements[index:]
        longest = range(1, min(_LONGEST_BODY, len(rest) // 2) + 1)
        length = max(longest, key=lambda length: _saved(rest, length), default=0)
        if length and _saved(rest, length) > 0:
            rounds = _rounds(rest, length)
            yield Statement(f"for _ in range({rounds}):")
            for position in range(length):
                shapes = {
                    statement.shape for statement in rest[position : rounds * length : length]
                }
                shape = shapes.pop() if len(shapes) == 1 else None
                yield Statement(rest[position].text, shape, level=1)
            index += rounds * length
        else:
            yield statements[index]
            index += 1


def _rounds(statements: list[Statement], length: int) -> int:
    """Count how often the first ``length`` statements come, one time after another."""
    body = [statement.text for statement in statements[:length]]
    rounds = 1
    while [s.text for s in statements[rounds * length : (rounds + 1) * length]] == body:
        rounds += 1
    return rounds


def _saved(statements: list[Statement], length: int) -> int:
    rounds = _rounds(statements, length)
    return rounds * length - (length + 1) if rounds > 1 else 0

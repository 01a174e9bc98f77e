"""Write the modules of a block as source: as constructors of ``torch.nn``, or as functions."""

from __future__ import annotations

from dataclasses import dataclass

from search.export.codegen.blocks import Block, plan_source
from search.export.codegen.unfold import Leaf
from space.architecture import Architecture
from space.layers.words import Operation, Shape

__all__ = ["WITHOUT", "Call", "function_call", "module_calls", "weight_names"]

WITHOUT = "without"
"""A function of the source: its module has a parameter no more."""


@dataclass(frozen=True)
class Call:
    """A call in the source.

    Attributes:
        function: what is called.
        arguments: the source of each.
        leaf: the leaf that it stands for, None for a change of shape between leaves.
        output: the map that it gives, where that is worth a comment.
    """

    function: str
    arguments: tuple[str, ...]
    leaf: Leaf | None = None
    output: Shape | None = None

    def __str__(self) -> str:
        return f"{self.function}({', '.join(self.arguments)})"


def module_calls(block: Block) -> list[Call]:
    """List the constructors of a block, in order; several belong in a Sequential."""
    calls: list[Call] = []
    for leaf in block.leaves:
        takes_features = leaf.word.takes == "features"
        if takes_features and leaf.form != "flat":
            calls.append(Call("nn.Flatten", ()))
        calls.append(_module(leaf))
        if takes_features and leaf.form == "maps":
            calls.append(Call("nn.Unflatten", ("1", repr(leaf.word.output(leaf.shape)))))
    if block.closes:
        if calls[-1].function == "nn.Unflatten":
            calls.pop()
        else:
            calls.append(Call("nn.Flatten", ()))
    return calls


def function_call(leaf: Leaf) -> Call:
    """Write the call, on ``x``, of a leaf that needs no module."""
    function = leaf.word.function()
    if function is None:
        raise TypeError(f'"{leaf.word}" has no function')
    return Call(f"functional.{function.name}", function.source("x"), leaf)


def _module(leaf: Leaf) -> Call:
    module = leaf.word.module(leaf.shape, flat=leaf.form == "flat")
    resized = isinstance(leaf.word, Operation) and leaf.word.takes == "maps"
    output = leaf.output if resized else None
    if module.without is not None:
        made = f"nn.{module.name}({', '.join(module.source())})"
        return Call(WITHOUT, (made, f'"{module.without}"'), leaf, output)
    return Call(f"nn.{module.name}", module.source(), leaf, output)


def weight_names(architecture: Architecture) -> dict[str, str]:
    """Map each module of the built network that has weights to its name in the source.

    Both are prefixes of the names in state dicts: ``line1.conv`` to ``stage1.0``, for example.

    Raises:
        ShapeError: the architecture does not fit together.
    """
    names = {}
    for block in plan_source(architecture).blocks:
        calls = module_calls(block)
        for index, call in enumerate(calls):
            if call.leaf is not None and call.leaf.has_weights:
                names[call.leaf.path] = block.name if len(calls) == 1 else f"{block.name}.{index}"
    return names

"""The modules of a block as source: constructors of ``torch.nn``, or functions without weights."""

from __future__ import annotations

from dataclasses import dataclass

from search.export.codegen.blocks import Block, make_plan
from search.export.codegen.unfold import Leaf
from space.architecture import Architecture
from space.layers.operations import Conv, Depthwise, Gap, Linear, Pool
from space.layers.words import Activation, BatchNorm, Dropout, Shape

__all__ = ["Call", "function_call", "module_calls", "weight_names"]


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
    """Give the constructors of a block, in order; more than one belong into a Sequential."""
    calls: list[Call] = []
    for leaf in block.leaves:
        word = leaf.word
        if isinstance(word, Linear) and leaf.form != "flat":
            calls.append(Call("nn.Flatten", ()))
        calls.append(_module(leaf))
        if isinstance(word, Linear) and leaf.form == "maps":
            calls.append(Call("nn.Unflatten", ("1", f"({word.features}, 1, 1)")))
    if block.closes:
        if calls[-1].function == "nn.Unflatten":
            calls.pop()
        else:
            calls.append(Call("nn.Flatten", ()))
    return calls


def function_call(leaf: Leaf) -> Call:
    """Give the call, on ``x``, of a leaf without weights."""
    match leaf.word:
        case Activation() as word:
            return Call(f"functional.{word.entry.function}", ("x",), leaf)
        case Dropout(rate):
            return Call("functional.dropout", ("x", repr(rate), "self.training"), leaf)
        case Pool(kind, size):
            return Call(f"functional.{kind}_pool2d", ("x", str(size)), leaf)
        case Gap():
            return Call("functional.adaptive_avg_pool2d", ("x", "1"), leaf)
    raise TypeError(f"{leaf.word} has no function")


def weight_names(architecture: Architecture) -> dict[str, str]:
    """Map each module of the built network that has weights to its name in the source.

    Both are prefixes of the names in state dicts: ``line1.conv`` to ``stage1.0``, for example.

    Raises:
        ShapeError: the architecture does not fit together.
    """
    names = {}
    for block in make_plan(architecture).blocks:
        calls = module_calls(block)
        for index, call in enumerate(calls):
            if call.leaf is not None and call.leaf.has_weights:
                names[call.leaf.path] = block.name if len(calls) == 1 else f"{block.name}.{index}"
    return names


def _module(leaf: Leaf) -> Call:
    match leaf.word:
        case Conv() | Depthwise() as word:
            return Call("nn.Conv2d", _convolution(word, leaf.channels), leaf, leaf.output)
        case Pool(kind, size):
            return Call(f"nn.{kind.capitalize()}Pool2d", (str(size),), leaf, leaf.output)
        case Gap():
            return Call("nn.AdaptiveAvgPool2d", ("1",), leaf, leaf.output)
        case Linear(features, bias):
            arguments = (str(leaf.elements), str(features), *(() if bias else ("bias=False",)))
            return Call("nn.Linear", arguments, leaf)
        case BatchNorm():
            name = "nn.BatchNorm2d" if leaf.form == "maps" else "nn.BatchNorm1d"
            return Call(name, (str(leaf.channels),), leaf)
        case Dropout(rate):
            return Call("nn.Dropout", (repr(rate),), leaf)
        case Activation() as word:
            return Call(f"nn.{word.entry.module}", (), leaf)
    raise TypeError(f"{leaf.word} has no module")


def _convolution(word: Conv | Depthwise, channels: int) -> tuple[str, ...]:
    out, groups = (word.channels, word.groups) if isinstance(word, Conv) else (channels, channels)
    options = [
        f"stride={word.stride}" if word.stride != 1 else "",
        f"padding={word.padding}" if word.padding else "",
        f"groups={groups}" if groups != 1 else "",
        "" if word.bias else "bias=False",
    ]
    return (str(channels), str(out), str(word.kernel), *filter(None, options))

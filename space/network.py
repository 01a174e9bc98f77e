"""Build the ``nn.Module`` of an architecture."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from space.architecture import Architecture
from space.layers import Layer
from space.layers.operations import Conv, Convolution, Depthwise, Gap, Linear, Pool, Separable
from space.layers.words import Activation, BatchNorm, Dropout, Shape, Skip, Word, elements


def build(architecture: Architecture) -> Network:
    """Build the network, with torch's default initialisation.

    Raises:
        ShapeError: the architecture does not fit together.
    """
    return Network(architecture)


@dataclass(frozen=True)
class _Keep:
    """Keep the current map under a number, for a later skip."""

    slot: int


@dataclass(frozen=True)
class _Add:
    """Add the map that was kept under a number; drop it when this is its last use."""

    slot: int
    last: bool


class FlatLinear(nn.Linear):
    """A linear layer on maps: (n, c, h, w) to (n, features, 1, 1)."""

    def forward(self, x: Tensor) -> Tensor:
        """Flatten, multiply, and give back a map."""
        return super().forward(x.flatten(1))[:, :, None, None]


class Network(nn.Module):
    """A built architecture: (n, channels, height, width) floats to (n, classes) logits.

    Line ``i`` of the text, from 1, is the child ``line{i}``, so that parameters are called, for
    example, ``line1.conv.weight`` or ``line4.bn.bias``. Lines that are applied again are the same
    modules, called again. ``forward`` calls the modules of the words one after another and not
    the children that hold them, so hooks belong on the words' modules.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        architecture.check()
        self.architecture = architecture
        blocks: dict[int, list[nn.Module | Skip]] = {}
        for _, source, shapes in architecture.applications:
            if source not in blocks:
                layer = architecture.layers[source]
                blocks[source] = _block(layer, shapes)
                self.add_module(f"line{source + 1}", _named(layer, blocks[source]))
        order = [blocks[application.source] for application in architecture.applications]
        self._program = _program(order)

    def forward(self, x: Tensor) -> Tensor:
        """Give the logits of a batch of images."""
        kept: dict[int, Tensor] = {}
        for step in self._program:
            if isinstance(step, nn.Module):
                x = step(x)
            elif isinstance(step, _Keep):
                kept[step.slot] = x
            else:
                x = x + (kept.pop(step.slot) if step.last else kept[step.slot])
        return x.flatten(1)


def _program(order: list[list[nn.Module | Skip]]) -> tuple[nn.Module | _Keep | _Add, ...]:
    """Flatten the applications into one sequence, keeping only the maps that a skip needs."""
    uses: dict[int, int] = {}
    for index, block in enumerate(order):
        for step in block:
            if isinstance(step, Skip):
                slot = index - step.lines + 1
                uses[slot] = uses.get(slot, 0) + 1
    program: list[nn.Module | _Keep | _Add] = []
    for index, block in enumerate(order):
        if index in uses:
            program.append(_Keep(index))
        for step in block:
            if isinstance(step, Skip):
                slot = index - step.lines + 1
                uses[slot] -= 1
                program.append(_Add(slot, last=not uses[slot]))
            else:
                program.extend(step.children() if isinstance(step, nn.Sequential) else [step])
    return tuple(program)


def _named(layer: Layer, block: list[nn.Module | Skip]) -> nn.Sequential:
    """Hold a line's modules under the names of their words; a second ``bn`` is ``bn2``."""
    children: OrderedDict[str, nn.Module] = OrderedDict()
    for word, module in zip(layer.words, block, strict=True):
        if isinstance(module, Skip):
            continue
        name = base = _name(word)
        number = 1
        while name in children:
            number += 1
            name = f"{base}{number}"
        children[name] = module
    return nn.Sequential(children)


def _name(word: Word) -> str:
    match word:
        case Activation(name):
            return name
        case BatchNorm():
            return "bn"
        case Dropout():
            return "drop"
        case Pool(kind):
            return f"{kind}pool"
    return type(word).__name__.lower()


def _block(layer: Layer, shapes: tuple[Shape, ...]) -> list[nn.Module | Skip]:
    words = layer.words
    return [
        word if isinstance(word, Skip) else _module(word, shape, _makes_fresh_map(before))
        for word, shape, before in zip(words, shapes, (None, *words), strict=False)
    ]


def _makes_fresh_map(word: Word | None) -> bool:
    """Tell whether what this word gives is read by nothing but the next word.

    A line's input may be kept for a skip, dropout passes its input through in evaluation, and
    activations keep what they give for the way back, so only these may be overwritten.
    """
    return isinstance(word, Convolution | BatchNorm | Skip)


def _module(word: Word, shape: Shape, fresh: bool) -> nn.Module:
    channels = shape[0]
    match word:
        case Conv(kernel, out, padding, stride, groups, bias):
            return nn.Conv2d(
                channels, out, kernel, stride=stride, padding=padding, groups=groups, bias=bias
            )
        case Depthwise(kernel, padding, stride, bias):
            return nn.Conv2d(
                channels, channels, kernel, stride, padding, groups=channels, bias=bias
            )
        case Separable():
            halves = {"depthwise": word.depthwise, "pointwise": word.pointwise}
            return nn.Sequential(
                OrderedDict((name, _module(half, shape, False)) for name, half in halves.items())
            )
        case Pool(kind, size):
            return nn.MaxPool2d(size) if kind == "max" else nn.AvgPool2d(size)
        case Gap():
            return nn.AdaptiveAvgPool2d(1)
        case Linear(features, bias):
            return FlatLinear(elements(shape), features, bias=bias)
        case BatchNorm():
            return nn.BatchNorm2d(channels)
        case Dropout(rate):
            return nn.Dropout(rate)
        case Activation():
            make: Callable[..., nn.Module] = getattr(nn, word.entry.module)
            return make(inplace=True) if fresh and word.entry.in_place else make()
    raise TypeError(f"{word} has no module")

"""Describe calls of torch as data, for the network to build and the exported source to print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

Argument: TypeAlias = int | float | tuple[int, int]


@dataclass(frozen=True, slots=True)
class TorchCall:
    """A call of something in ``torch.nn`` or ``torch.nn.functional``.

    Only numbers, pairs of them and flags are arguments, so that no text of a study file can reach
    generated source.

    Attributes:
        name: what is called, such as ``Conv2d``.
        arguments: the positional arguments; for a function, those after the map.
        options: the arguments by name; those that equal torch's defaults are left out.
        takes_training: whether the function also has an argument ``training``.
        without: the parameter that the module is made with and then has no more.
    """

    name: str
    arguments: tuple[Argument, ...] = ()
    options: Mapping[str, Argument] = field(default_factory=dict)
    takes_training: bool = False
    without: str | None = None

    def source(self, *before: str) -> tuple[str, ...]:
        """Write every argument as source, those of ``before`` first."""
        mode = ("self.training",) if self.takes_training else ()
        options = (f"{name}={value!r}" for name, value in self.options.items())
        return (*before, *map(repr, self.arguments), *mode, *options)

"""Build the ``nn.Module`` of an architecture."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from space.architecture import Architecture
from space.ghost_norm import GhostBatchNorm2d
from space.program import Apply, Keep, program_of

__all__ = ["FlatLinear", "GhostBatchNorm2d", "Network", "build", "build_with"]


def build(architecture: Architecture) -> Network:
    """Build the network, with torch's default initialisation.

    Args:
        architecture: what to build; its lines must fit together.

    Returns:
        A module that maps (n, channels, height, width) floats to (n, classes) logits, in training
        mode and on the CPU, or on torch's default device where one is set.

    Raises:
        ShapeError: the architecture does not fit together.
    """
    return Network(architecture)


def build_with(architecture: Architecture, weights: Mapping[str, Tensor]) -> nn.Module:
    """Build a network that has its weights already, in evaluation mode, without drawing any.

    Args:
        architecture: what to build; its lines must fit together.
        weights: the state dict of such a network. The network is given copies.

    Raises:
        ShapeError: the architecture does not fit together.
        RuntimeError: the weights are not those of such a network.
    """
    with torch.device("meta"):
        network = build(architecture)
    network.load_state_dict({name: each.clone() for name, each in weights.items()}, assign=True)
    return network.eval()


class FlatLinear(nn.Linear):
    """A linear layer on maps: (n, c, h, w) to (n, features, 1, 1)."""

    def forward(self, x: Tensor) -> Tensor:
        """Flatten the maps, multiply, and return maps of one pixel."""
        return super().forward(x.flatten(1))[:, :, None, None]


_OWN: dict[str, Callable[..., nn.Module]] = {
    "Linear": FlatLinear,  # on maps, in place of flat features
    "GhostBatchNorm2d": GhostBatchNorm2d,
}
"""The modules that are not those of ``torch.nn``, by name."""


class Network(nn.Module):
    """A built architecture: (n, channels, height, width) floats to (n, classes) logits.

    Line ``i`` of the text, from 1, is the child ``line{i}``, so that parameters are called, for
    example, ``line1.conv.weight`` or ``line4.bn.bias``. Lines that are applied again are the same
    modules, called again, but for the norms of ``again norms``, such as ``line5.again1.bn``.
    ``forward`` calls the modules of the words one after another and not the children that hold
    them, so hooks belong on the words' modules.

    Attributes:
        architecture: what was built.

    Raises:
        ShapeError: the architecture does not fit together.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        steps = program_of(architecture)
        modules: dict[str, nn.Module] = {"": self}
        for line, layer in enumerate(architecture.layers, 1):
            if layer.again is None or layer.again.norms:
                _register(nn.Sequential(), f"line{line}", modules)
        for step in steps:
            if isinstance(step, Apply) and step.path not in modules:
                _register(_module(step, architecture), step.path, modules)
        self._program = tuple(
            modules[step.path] if isinstance(step, Apply) else step for step in steps
        )

    def forward(self, x: Tensor) -> Tensor:
        """Compute the logits of a batch of images."""
        kept: dict[int, Tensor] = {}
        for step in self._program:
            if isinstance(step, nn.Module):
                x = step(x)
            elif isinstance(step, Keep):
                kept[step.slot] = x
            else:
                x = x + (kept.pop(step.slot) if step.last else kept[step.slot])
        return x.flatten(1)


def _register(module: nn.Module, path: str, modules: dict[str, nn.Module]) -> None:
    """Make a module a child of the one that its path names, and add it to the modules by path.

    A word of several parts has no module of its own: the one that holds its parts is made here.
    """
    holder, _, name = path.rpartition(".")
    if holder not in modules:
        _register(nn.Sequential(), holder, modules)
    modules[holder].add_module(name, module)
    modules[path] = module


def _module(step: Apply, architecture: Architecture) -> nn.Module:
    call = step.word.trained_module(step.before)
    make: Callable[..., nn.Module] = _OWN.get(call.name) or getattr(nn, call.name)
    options = dict(call.options)
    if step.word.works_in_place and _input_is_free(step, architecture):
        options["inplace"] = True
    module = make(*call.arguments, **options)
    if call.without is not None:
        # Torch's CUDA code has no gradient for a norm that has a shift and nothing for a scale. On
        # the meta device the ones need numbers all the same, for no state dict brings them.
        removed: Tensor = getattr(module, call.without)
        ones = torch.ones_like(removed, device="cpu" if removed.is_meta else None)
        delattr(module, call.without)
        module.register_buffer(call.without, ones, persistent=False)
    return module


def _input_is_free(step: Apply, architecture: Architecture) -> bool:
    """Return whether nothing else reads what the word before a step gives.

    The input of a line may be kept for a skip, dropout passes its input through in evaluation, and
    the gradient of an activation needs what the activation gave.
    """
    words = architecture.layers[step.line].words
    return step.position > 0 and words[step.position - 1].gives_fresh_map

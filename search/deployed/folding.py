"""The weights of a deployed network: norms folded into what is before them, in double precision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import torch
from torch import Tensor, nn

from space.architecture import Architecture
from space.deployed.kernels import (
    Affine,
    Deployed,
    GroupNormalise,
    Image,
    Kernel,
    Multiply,
    Table,
)
from space.deployed.lowering import lower
from space.layers.operations import Linear
from space.network import build_with
from trainer.data import Normalisation

__all__ = ["Arrays", "FoldedNetwork", "fold", "fold_module"]


@dataclass(frozen=True)
class Arrays:
    """The weights of one kernel, in double precision; what it does not have is None.

    Attributes:
        weight: (out, in of a group, height, width) of a convolution or a linear layer.
        bias: (out,), added before the activation.
        scale: (channels,), behind the activation, and of norms by themselves.
        shift: (channels,), added after the scale.
        slope: of ``prelu`` below 0.
        epsilon: that a norm of groups adds to the variance.
    """

    weight: Tensor | None = None
    bias: Tensor | None = None
    scale: Tensor | None = None
    shift: Tensor | None = None
    slope: float | None = None
    epsilon: float | None = None

    def to(self, like: Tensor) -> Arrays:
        """Return them on the device and in the precision of a tensor; gradients flow back."""

        # One after the other, so that a gradient is in double precision on this device alone.
        def moved(array: Tensor | None) -> Tensor | None:
            return None if array is None else array.to(like.dtype).to(like.device)

        weight, bias, scale, shift = map(moved, (self.weight, self.bias, self.scale, self.shift))
        return replace(self, weight=weight, bias=bias, scale=scale, shift=shift)


@dataclass(frozen=True)
class FoldedNetwork:
    """A trained network as kernels with weights.

    Attributes:
        deployed: the kernels.
        arrays: the weights of each of them.
        normalisation: of the images.
    """

    deployed: Deployed
    arrays: Sequence[Arrays]
    normalisation: Normalisation = field(repr=False)

    def to(self, like: Tensor) -> FoldedNetwork:
        """Return it on the device and in the precision of a tensor; gradients flow back."""
        return replace(self, arrays=[each.to(like) for each in self.arrays])


def fold(
    architecture: Architecture, weights: Mapping[str, Tensor], normalisation: Normalisation
) -> FoldedNetwork:
    """Fold the norms of a trained network.

    Args:
        architecture: of the network.
        weights: its state dict.
        normalisation: of its training images.

    Raises:
        NotDeployable: a word has no kernel.
    """
    network = build_with(architecture, weights).double().requires_grad_(requires_grad=False)
    return fold_module(network, lower(architecture), normalisation)


def fold_module(
    network: nn.Module, deployed: Deployed, normalisation: Normalisation
) -> FoldedNetwork:
    """Fold the norms of a built network; gradients flow back into its parameters.

    Args:
        network: in double precision, on the CPU. The slope of ``prelu`` has no gradient.
        deployed: the kernels of its architecture.
        normalisation: of its training images.
    """
    folder = _Folder(network, deployed, normalisation)
    return FoldedNetwork(
        deployed, [folder.arrays(kernel) for kernel in deployed.kernels], normalisation
    )


_Line: TypeAlias = tuple[Tensor, Tensor]
"""Scale and shift, one for each channel."""


class _Folder:
    def __init__(
        self, network: nn.Module, deployed: Deployed, normalisation: Normalisation
    ) -> None:
        self._network = network
        self._deployed = deployed
        self._normalisation = normalisation

    def arrays(self, kernel: Kernel) -> Arrays:
        """Return the weights of a kernel."""
        match kernel:
            case Image():
                mean, std = (
                    torch.tensor(values, dtype=torch.float64)
                    for values in (self._normalisation.mean, self._normalisation.std)
                )
                return Arrays(scale=1.0 / std, shift=-mean / std)
            case Multiply():
                return self._multiply(kernel)
            case Affine():
                channels = self._deployed.values[kernel.source].shape[0]
                scale, shift = self._line(kernel.norms, channels)
                return Arrays(scale=scale, shift=shift)
            case Table():
                return Arrays(slope=self._slope(kernel.path))
            case GroupNormalise():
                norm = self._network.get_submodule(kernel.path)
                assert isinstance(norm, nn.GroupNorm)
                return Arrays(scale=norm.weight, shift=norm.bias, epsilon=norm.eps)
            case _:
                return Arrays()

    def _multiply(self, kernel: Multiply) -> Arrays:
        module = self._network.get_submodule(kernel.path)
        weight, bias = _held(module, "weight"), _held(module, "bias")
        assert weight is not None
        if isinstance(kernel.word, Linear):
            shape = self._deployed.values[kernel.source].shape
            weight = weight.view(len(weight), *shape)
        scale, shift = self._line(kernel.norms, len(weight))
        weight = weight * scale.view(-1, 1, 1, 1)
        bias = shift if bias is None else scale * bias + shift
        slope = self._slope(kernel.activation_path) if kernel.activation else None
        if not kernel.scaled:
            return Arrays(weight, bias, slope=slope)
        return Arrays(weight, bias, *self._line(kernel.scaled, len(weight)), slope=slope)

    def _line(self, norms: Sequence[str], channels: int) -> _Line:
        """Return what BatchNorms do to a map, one after another."""
        scale = torch.ones(channels, dtype=torch.float64)
        shift = torch.zeros_like(scale)
        for path in norms:
            norm = self._network.get_submodule(path)
            mean, variance, bias = (
                _held(norm, name) for name in ("running_mean", "running_var", "bias")
            )
            assert isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d)
            assert mean is not None
            assert variance is not None
            assert bias is not None
            factor = (variance + norm.eps).rsqrt()
            if (weight := _held(norm, "weight")) is not None:
                factor = factor * weight
            scale = scale * factor
            shift = (shift - mean) * factor + bias
        return scale, shift

    def _slope(self, path: str) -> float | None:
        module = self._network.get_submodule(path)
        return float(module.weight.detach()) if isinstance(module, nn.PReLU) else None


def _held(module: nn.Module, name: str) -> Tensor | None:
    """Return a parameter or buffer of a module."""
    found = getattr(module, name)
    assert found is None or isinstance(found, Tensor)
    return found

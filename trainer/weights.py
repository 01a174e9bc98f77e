"""A network's parameters as one flat vector, and their moving average."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from trainer.errors import TrainerError

__all__ = ["AveragedWeights", "FlatWeights", "flatten", "unflatten"]


# Kernels of GPUs that load several numbers at once need each tensor to begin at such an address.
# Those of CPUs do not, and where a tensor begins changes the last digits of their figures.
_ALIGNMENT_BYTES = 16
_UNALIGNED_DEVICES = frozenset({"cpu"})


def flatten(tensors: Sequence[Tensor]) -> Tensor:
    """Move tensors into one new flat vector, and make each tensor a view of its part.

    One optimizer update or one average over thousands of small tensors then costs one call.
    Four-dimensional tensors (convolution weights) lie channels-last, which the convolutions then
    keep for their maps: measurably faster on CPUs than channels-first for narrow networks. On
    GPUs each part begins at a multiple of 16 bytes, and zeros fill the gaps.

    Args:
        tensors: of one floating dtype on one device.
    """
    gaps = _gaps_behind(tensors)
    flat = _join([tensor.detach() for tensor in tensors], gaps)
    offset = 0
    for tensor, gap in zip(tensors, gaps, strict=True):
        part = flat[offset : offset + tensor.numel()]
        tensor.data = _shaped_like(tensor, part)
        offset += tensor.numel() + len(gap)
    return flat


def unflatten(tensors: Iterable[Tensor]) -> None:
    """Copy each tensor back into contiguous memory of its own, which file formats need."""
    for tensor in tensors:
        tensor.data = tensor.detach().clone(memory_format=torch.contiguous_format)


def _gaps_behind(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return the zeros between each tensor's end and the next address that is aligned."""
    device = tensors[0].device
    aligned = device.type not in _UNALIGNED_DEVICES
    numbers = _ALIGNMENT_BYTES // tensors[0].element_size() if aligned else 1
    zeros = torch.zeros(numbers, dtype=tensors[0].dtype, device=device)
    return [zeros[: -tensor.numel() % numbers] for tensor in tensors]


def _join(tensors: Sequence[Tensor], gaps: Sequence[Tensor]) -> Tensor:
    """Return one flat vector of each tensor and the gap behind it."""
    pairs = zip(tensors, gaps, strict=True)
    return torch.cat([piece for tensor, gap in pairs for piece in (_in_order(tensor), gap)])


def _in_order(tensor: Tensor) -> Tensor:
    if tensor.dim() == 4:
        tensor = tensor.permute(0, 2, 3, 1)
    return tensor.reshape(-1)


def _shaped_like(tensor: Tensor, part: Tensor) -> Tensor:
    if tensor.dim() != 4:
        return part.view(tensor.shape)
    out, per_group, height, width = tensor.shape
    return part.view(out, height, width, per_group).permute(0, 3, 1, 2)


class FlatWeights:
    """The trainable parameters of a network as one leaf tensor that an optimizer can update.

    Attributes:
        parameters: the network's parameters, now views of ``vector``.
        vector: flat, requires grad; zeros, which stay zeros, lie in the gaps between parameters.

    Raises:
        TrainerError: if the network has nothing to train.
    """

    def __init__(self, network: nn.Module) -> None:
        self.parameters = [p for p in network.parameters() if p.requires_grad]
        if not self.parameters:
            raise TrainerError("the network has no trainable parameters; add a layer with weights")
        self.vector = flatten(self.parameters).requires_grad_()
        self._gaps = _gaps_behind(self.parameters)
        self._filters = {
            module.weight: None  # a dictionary keeps their order, and each of them once
            for module in network.modules()
            if isinstance(module, nn.Conv2d) and module.groups == 1 and module.weight.requires_grad
        }

    def filter_matrices(self) -> list[Tensor]:
        """Return where in the vector the filters of each convolution lie.

        Returns:
            For each convolution of all input channels (depthwise and grouped ones have none) the
            places of its weights, (filters, weights of a filter), on the CPU.
        """
        places = torch.arange(self.vector.numel())
        return [self._part_of(places, weight).flatten(1) for weight in self._filters]

    def make_gradient(self) -> dict[Tensor, Tensor]:
        """Set the vector's gradient to zeros; return each parameter's part, shaped like it."""
        self.vector.grad = torch.zeros_like(self.vector)
        return {
            parameter: self._part_of(self.vector.grad, parameter) for parameter in self.parameters
        }

    def _part_of(self, flat: Tensor, parameter: Tensor) -> Tensor:
        """Return the part of a vector, (n,), that lies as a parameter does in the weights."""
        start = parameter.storage_offset() - self.vector.storage_offset()
        return torch.as_strided(flat, parameter.shape, parameter.stride(), start)

    def set_gradient(self, gradients: Sequence[Tensor]) -> None:
        """Set the vector's gradient from one gradient per parameter, in their order."""
        self.vector.grad = _join(gradients, self._gaps)


class AveragedWeights:
    """Exponential moving average of a network's parameters and BatchNorm statistics.

    The decay at update t (from 0) is ``min(decay, (1 + t) / (10 + t))``: early weights are mostly
    initialisation and must not linger. With a ``share`` it is ``share t / (1 + share t)``, but at
    most ``decay`` where that is not 0: the average over the last ``share`` of all updates so far,
    roughly (polynomial decay; Shamir & Zhang, 2013, arXiv 1212.1824). Floating buffers are
    averaged like the weights.

    Args:
        weights: the network's parameters, which the average starts from.
        network: whose buffers are averaged.
        decay: from 0 to below 1.
        share: from 0, for none, to 1.
    """

    def __init__(
        self, weights: FlatWeights, network: nn.Module, decay: float, share: float = 0.0
    ) -> None:
        floating = [b for b in network.buffers() if b.is_floating_point()]
        self._live = [weights.vector.detach()]
        if floating:
            self._live.append(flatten(floating))
        self._average = [vector.clone() for vector in self._live]
        self._decay = decay
        self._share = share
        self._updates = 0

    def update(self) -> None:
        """Update the average with the network's current values."""
        decay = self._decay_now()
        for average, live in zip(self._average, self._live, strict=True):
            average.lerp_(live, 1 - decay)
        self._updates += 1

    def _decay_now(self) -> float:
        if not self._share:
            return min(self._decay, (1 + self._updates) / (10 + self._updates))
        reach = self._share * self._updates
        return min(self._decay or 1.0, reach / (1 + reach))

    def swap(self) -> None:
        """Exchange the network's values and the average; a second call undoes it."""
        for average, live in zip(self._average, self._live, strict=True):
            held = live.clone()
            live.copy_(average)
            average.copy_(held)

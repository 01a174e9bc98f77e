"""A network that the compiled kernels run forward and backward on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from ctypes import CDLL

import torch
from torch import Tensor, nn

from trainer.native.library import load_kernels
from trainer.native.program import Addition, Convolution, Elementwise, Pool, Program, Shape
from trainer.native.tracing import trace

__all__ = ["CompiledNetwork"]

_NO_SUCH_CLASS = 3
_ACTIVATIONS = ("", "relu", "leakyrelu", "silu", "hardswish")


class CompiledNetwork:
    """Reads a network's parameters and statistics where they lie and writes their gradients.

    The kernels work on blocks of images whose maps stay in the processor's cache. Sums over the
    batch are taken block by block in a fixed order, so the number of threads changes no figure.

    Args:
        network: with float32 parameters on the CPU; they must stay where they are in memory.
        shape: of an image.
        gradients: a tensor for each trainable parameter, of its shape and strides, which
            :meth:`backward` adds to.
        images: the largest batch that is trained.
        threads: at work at the same time.

    Raises:
        NoKernels: if there are no kernels here or they do not know what the network does.
        OutOfMemory: if there is no memory for its maps.
    """

    def __init__(
        self,
        network: nn.Module,
        shape: Shape,
        gradients: Mapping[Tensor, Tensor],
        images: int,
        threads: int,
    ) -> None:
        self._kernels = load_kernels()
        program = trace(network, shape)
        # What the kernels hold pointers to.
        self._held: list[object] = [network, gradients]
        self._shape = shape
        self._classes = program.shapes[-1][0]
        self._gradients = gradients
        self._images = images
        # How many images the maps hold the way forward of; none after inference.
        self._begun = 0
        self._handle: int | None = self._kernels.flyweight_new(threads)
        if self._handle is None:
            raise MemoryError("no memory for a network")
        self._describe(program)
        self._check(self._kernels.flyweight_finish(self._handle, images))

    def __del__(self) -> None:
        if getattr(self, "_handle", None) is not None:
            self._kernels.flyweight_free(self._handle)
            self._handle = None

    def forward(self, pixels: Tensor, seed: int) -> Tensor:
        """Runs the network in training mode and keeps what the way back needs.

        Args:
            pixels: (n, channels, height, width) float32.
            seed: of the dropout, 0 to 2**64 - 1.

        Returns:
            (n, classes) logits.

        Raises:
            ValueError: if these are other images than announced, or more.
        """
        place = self._place(pixels)
        self._check_count(pixels)
        logits = pixels.new_empty((len(pixels), self._classes))
        self._begun = len(pixels)
        self._check(self._kernels.flyweight_forward(self._handle, *place, seed, logits.data_ptr()))
        return logits

    def backward(self, logits_gradient: Tensor) -> None:
        """Adds the gradients of the parameters, after one :meth:`forward`.

        Args:
            logits_gradient: (n, classes), of the loss in the logits.

        Raises:
            ValueError: if this is no gradient of the last :meth:`forward`, or inference has taken
                place since.
        """
        if logits_gradient.shape != (self._begun, self._classes):
            raise ValueError(f"no way back from {self._begun} images with {logits_gradient.shape}")
        gradient = logits_gradient.contiguous()
        self._check(self._kernels.flyweight_backward(self._handle, gradient.data_ptr()))

    def learn(
        self, pixels: Tensor, labels: Tensor, seed: int, label_smoothing: float
    ) -> tuple[Tensor, Tensor]:
        """Runs forward and backward from the cross entropy in one go.

        Args:
            pixels: (n, channels, height, width) float32.
            labels: (n,) int64, each below the number of classes.
            seed: of the dropout, 0 to 2**64 - 1.
            label_smoothing: share of the target spread over all classes, 0 to 1.

        Returns:
            The mean loss, float32, and how many labels have the largest logit, int64; both 0-d.

        Raises:
            ValueError: if these are other images than announced, or more, or other labels.
        """
        place = self._place(pixels)
        self._check_count(pixels)
        if labels.shape != pixels.shape[:1] or labels.dtype != torch.int64:
            raise ValueError(f"{tuple(labels.shape)} {labels.dtype}: expected a label per image")
        self._begun = 0
        labels = labels.contiguous()
        loss, right = torch.empty(()), torch.empty((), dtype=torch.int64)
        code = self._kernels.flyweight_learn(
            self._handle,
            *place,
            seed,
            labels.data_ptr(),
            label_smoothing,
            loss.data_ptr(),
            right.data_ptr(),
        )
        if code == _NO_SUCH_CLASS:
            raise ValueError(f"a label is outside 0 to {self._classes - 1}")
        self._check(code)
        return loss, right

    def infer(self, pixels: Tensor) -> Tensor:
        """Runs the network in evaluation mode.

        Args:
            pixels: (n, channels, height, width) float32; n is not bounded.

        Returns:
            (n, classes) logits.
        """
        place = self._place(pixels)
        logits = pixels.new_empty((len(pixels), self._classes))
        self._begun = 0
        self._check(self._kernels.flyweight_infer(self._handle, *place, logits.data_ptr()))
        return logits

    def _check_count(self, pixels: Tensor) -> None:
        if not 0 < len(pixels) <= self._images:
            raise ValueError(f"a batch of {len(pixels)} images; there is room for {self._images}")

    def _place(self, pixels: Tensor) -> tuple[int, int, int, int, int, int]:
        if pixels.shape[1:] != self._shape or pixels.dtype != torch.float32:
            raise ValueError(f"{tuple(pixels.shape)} {pixels.dtype}: expected {self._shape} floats")
        n, channel, row, column = pixels.stride()
        return pixels.data_ptr(), n, channel, row, column, len(pixels)

    @staticmethod
    def _check(code: int) -> None:
        if code == 1:
            raise MemoryError("not enough memory for the maps of a batch")
        if code:
            raise RuntimeError("a compiled kernel failed")

    def _describe(self, program: Program) -> None:
        for shape in program.shapes:
            self._kernels.flyweight_map(self._handle, *shape)
        for operation in program.operations:
            match operation:
                case Convolution():
                    self._convolution(self._kernels, operation)
                case Elementwise():
                    self._elementwise(self._kernels, operation)
                case Pool(source, target, largest, window):
                    self._kernels.flyweight_pool(self._handle, source, target, *window, largest)
                case Addition(source, other, target):
                    self._kernels.flyweight_addition(self._handle, source, other, target)

    def _convolution(self, kernels: CDLL, operation: Convolution) -> None:
        weight = operation.weight
        # A linear layer's inputs lie (channel, row, column).
        per_pixel = operation.kernel[0] * operation.kernel[1]
        strides = (
            (weight.stride(0), weight.stride(1), weight.stride(3))
            if weight.dim() == 4
            else (weight.stride(0), per_pixel * weight.stride(1), weight.stride(1))
        )
        kernels.flyweight_convolution(
            self._handle,
            operation.source,
            operation.target,
            *operation.kernel,
            operation.stride,
            *operation.padding,
            operation.groups,
            *self._parameter(weight),
            *strides,
            *self._parameter(operation.bias),
        )

    def _elementwise(self, kernels: CDLL, operation: Elementwise) -> None:
        norm = operation.norm
        statistics: tuple[int | None, ...] = (None, None, None)
        if norm is not None:
            buffers = (norm.running_mean, norm.running_var, norm.num_batches_tracked)
            statistics = tuple(buffer.data_ptr() for buffer in buffers if buffer is not None)
        kernels.flyweight_elementwise(
            self._handle,
            operation.source,
            operation.target,
            _ACTIVATIONS.index(operation.first),
            _ACTIVATIONS.index(operation.second),
            operation.dropout,
            norm is not None,
            *self._parameter(norm.weight if norm else None),
            *self._parameter(norm.bias if norm else None),
            *statistics,
            (norm.momentum if norm else None) or 0.0,
            norm.eps if norm else 0.0,
        )

    def _parameter(self, parameter: Tensor | None) -> tuple[int | None, int | None]:
        """Returns where a parameter and its gradient lie."""
        if parameter is None:
            return None, None
        gradient = self._gradients.get(parameter)
        return parameter.data_ptr(), None if gradient is None else gradient.data_ptr()

"""A network that the compiled kernels run forward and backward on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from ctypes import c_void_p

import torch
from torch import Tensor, nn

from trainer.errors import NoKernels
from trainer.native.abi import (
    AdditionArgs,
    ConvolutionArgs,
    MapShape,
    NormActivationArgs,
    ParameterView,
    PixelsView,
    PoolingArgs,
    Status,
)
from trainer.native.library import activation_names, load_kernels
from trainer.native.program import (
    AdditionOp,
    ConvolutionOp,
    NormActivationOp,
    PoolingOp,
    Program,
    Shape,
)
from trainer.native.tracing import trace

__all__ = ["CompiledNetwork"]


class CompiledNetwork:
    """A network whose parameters the kernels read in place, and whose gradients they write.

    The kernels work on blocks of images whose maps stay in the processor's cache. Sums over the
    batch are taken block by block in a fixed order, so the number of threads changes no figure.

    Args:
        network: with float32 parameters on the CPU; they must stay where they are in memory.
        shape: of an image.
        gradients: a tensor for each trainable parameter, of its shape and strides, which
            :meth:`backward` adds to.
        images: the size of the largest batch in training.
        threads: how many work at the same time, from 1.

    Raises:
        NoKernels: if the kernels cannot be built, or cannot run this network.
        MemoryError: if there is not enough memory for its maps.
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
        program = trace(network, shape, activation_names(self._kernels))
        # The kernels hold pointers into these.
        self._held: list[object] = [network, gradients]
        self._shape = shape
        self._classes = program.shapes[-1][0]
        self._gradients = gradients
        self._images = images
        # The number of images of the last forward; 0 if backward cannot follow it.
        self._forwarded = 0
        self._handle = c_void_p()
        self._check(self._kernels.flyweight_new(threads, self._handle))
        try:
            self._describe(program)
            self._check(self._kernels.flyweight_finish(self._handle, images))
        except ValueError as error:
            raise NoKernels(f"the kernels cannot run this network: {error}") from error

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self._kernels.flyweight_free(self._handle)
            self._handle = c_void_p()

    def forward(self, pixels: Tensor, seed: int) -> Tensor:
        """Run the network in training mode, and keep what :meth:`backward` needs.

        Args:
            pixels: (n, channels, height, width) float32.
            seed: of the dropout, 0 to 2**64 - 1.

        Returns:
            (n, classes) logits.

        Raises:
            ValueError: if the images have another shape or type, or are too many.
        """
        view = self._training_view(pixels)
        logits = pixels.new_empty((len(pixels), self._classes))
        self._forwarded = 0
        self._check(self._kernels.flyweight_forward(self._handle, view, seed, logits.data_ptr()))
        self._forwarded = len(pixels)
        return logits

    def backward(self, logits_gradient: Tensor) -> None:
        """Add the gradients of the parameters, after one :meth:`forward`.

        Args:
            logits_gradient: (n, classes), of the loss with respect to the logits.

        Raises:
            ValueError: if its shape is not that of the last logits, or the network was used for
                inference since.
        """
        if not self._forwarded:
            raise ValueError("backward needs a forward in training mode before it")
        wanted = (self._forwarded, self._classes)
        if logits_gradient.shape != wanted or logits_gradient.dtype != torch.float32:
            raise ValueError(
                f"the gradient of the logits is {tuple(logits_gradient.shape)} "
                f"{logits_gradient.dtype}: expected {wanted} floats"
            )
        gradient = logits_gradient.contiguous()
        self._check(self._kernels.flyweight_backward(self._handle, gradient.data_ptr()))

    def forward_backward(
        self, pixels: Tensor, labels: Tensor, seed: int, label_smoothing: float
    ) -> tuple[Tensor, Tensor]:
        """Run forward, cross entropy and backward in one call.

        Args:
            pixels: (n, channels, height, width) float32.
            labels: (n,) int64, each below the number of classes.
            seed: of the dropout, 0 to 2**64 - 1.
            label_smoothing: share of the target spread over all classes, 0 to 1.

        Returns:
            The mean loss, float32, and how many labels have the largest logit, int64; both 0-d.

        Raises:
            ValueError: if the images have another shape or type, or are too many, or the labels
                are not one class per image.
        """
        view = self._training_view(pixels)
        if labels.shape != pixels.shape[:1] or labels.dtype != torch.int64:
            raise ValueError(
                f"labels are {tuple(labels.shape)} {labels.dtype}: expected ({len(pixels)},) "
                "torch.int64, one per image"
            )
        self._forwarded = 0
        labels = labels.contiguous()
        loss, correct = torch.empty(()), torch.empty((), dtype=torch.int64)
        status = self._kernels.flyweight_forward_backward(
            self._handle,
            view,
            labels.data_ptr(),
            seed,
            label_smoothing,
            loss.data_ptr(),
            correct.data_ptr(),
        )
        self._check(status)
        return loss, correct

    def infer(self, pixels: Tensor) -> Tensor:
        """Run the network in evaluation mode.

        Args:
            pixels: (n, channels, height, width) float32, with any n.

        Returns:
            (n, classes) logits.

        Raises:
            ValueError: if the images have another shape or type.
        """
        view = self._view(pixels)
        logits = pixels.new_empty((len(pixels), self._classes))
        self._forwarded = 0
        self._check(self._kernels.flyweight_infer(self._handle, view, logits.data_ptr()))
        return logits

    def _training_view(self, pixels: Tensor) -> PixelsView:
        view = self._view(pixels)
        if not 0 < len(pixels) <= self._images:
            raise ValueError(
                f"a batch of {len(pixels)} images: expected 1 to {self._images}, the number that "
                "memory was allocated for"
            )
        return view

    def _view(self, pixels: Tensor) -> PixelsView:
        if pixels.shape[1:] != self._shape or pixels.dtype != torch.float32:
            raise ValueError(
                f"images are {tuple(pixels.shape)} {pixels.dtype}: expected n of {self._shape} "
                "torch.float32"
            )
        return PixelsView(pixels.data_ptr(), *pixels.stride(), len(pixels))

    def _check(self, status: int) -> None:
        """Raise the exception for a status of the kernels.

        Raises:
            MemoryError: if there is not enough memory.
            ValueError: if an argument was refused.
            RuntimeError: if anything else failed.
        """
        if status == Status.OK:
            return
        message = self._kernels.flyweight_last_error().decode(errors="replace")
        match status:
            case Status.NO_MEMORY:
                raise MemoryError(f"{message} for the maps of a batch of {self._images} images")
            case Status.INVALID_ARGUMENT | Status.NO_SUCH_CLASS:
                raise ValueError(message)
            case _:
                raise RuntimeError(f"a compiled kernel failed: {message}")

    def _describe(self, program: Program) -> None:
        """Add the maps and operations to the kernels' network."""
        kernels, handle = self._kernels, self._handle
        for shape in program.shapes:
            self._check(kernels.flyweight_add_map(handle, MapShape(*shape)))
        for operation in program.operations:
            match operation:
                case ConvolutionOp():
                    args = self._convolution_args(operation)
                    status = kernels.flyweight_add_convolution(handle, args)
                case NormActivationOp():
                    norm_args = self._norm_activation_args(operation)
                    status = kernels.flyweight_add_norm_activation(handle, norm_args)
                case PoolingOp(source, target, largest, window, stride, padding):
                    pooling_args = PoolingArgs(source, target, *window, *stride, *padding, largest)
                    status = kernels.flyweight_add_pooling(handle, pooling_args)
                case AdditionOp(left, right, target):
                    addition_args = AdditionArgs(left, right, target)
                    status = kernels.flyweight_add_addition(handle, addition_args)
            self._check(status)

    def _convolution_args(self, operation: ConvolutionOp) -> ConvolutionArgs:
        weight = operation.weight
        # A linear layer's inputs lie (channel, row, column).
        per_pixel = operation.kernel[0] * operation.kernel[1]
        strides = (
            (weight.stride(0), weight.stride(1), weight.stride(3))
            if weight.dim() == 4
            else (weight.stride(0), per_pixel * weight.stride(1), weight.stride(1))
        )
        return ConvolutionArgs(
            operation.source,
            operation.target,
            *operation.kernel,
            *operation.stride,
            *operation.padding,
            *operation.dilation,
            operation.groups,
            *strides,
            self._parameter(weight),
            self._parameter(operation.bias),
        )

    def _norm_activation_args(self, operation: NormActivationOp) -> NormActivationArgs:
        args = NormActivationArgs(
            operation.source,
            operation.target,
            operation.first,
            operation.second,
            operation.dropout,
            operation.drops_channels,
        )
        norm = operation.norm
        if norm is not None:
            args.normalises = True
            args.scale, args.shift = self._parameter(norm.weight), self._parameter(norm.bias)
            buffers = (norm.running_mean, norm.running_var, norm.num_batches_tracked)
            args.running_mean, args.running_variance, args.batches = (
                buffer.data_ptr() if buffer is not None else None for buffer in buffers
            )
            args.momentum, args.epsilon = norm.momentum or 0.0, norm.eps
        return args

    def _parameter(self, parameter: Tensor | None) -> ParameterView:
        """Return the addresses of a parameter and its gradient."""
        if parameter is None:
            return ParameterView()
        gradient = self._gradients.get(parameter)
        return ParameterView(
            parameter.data_ptr(), None if gradient is None else gradient.data_ptr()
        )

"""Read the operations of a network from a torch.fx trace of it."""

from __future__ import annotations

import operator
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from trainer.errors import NoKernels
from trainer.native.program import (
    AdditionOp,
    ConvolutionOp,
    NormActivationOp,
    Operation,
    PoolingOp,
    Program,
    Shape,
)

__all__ = ["trace"]

# The part of a module's text about overwriting its input, which the kernels may ignore.
_INPLACE = re.compile(r"(, )?\binplace=True\b")
_DROPS = (nn.Dropout, nn.Dropout2d)
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")

# The gradient's sums take one vector for each weight, so those of larger layers leave the cache.
_MOST_WEIGHTS = 100_000


def trace(network: nn.Module, shape: Shape, activations: Sequence[str]) -> Program:
    """Read what a network does to images of a shape in training.

    Args:
        network: is left as it is.
        shape: of an image.
        activations: the modules that the kernels' activations equal, by number, each as it prints
            itself without ``inplace``; see :func:`trainer.native.library.activation_names`.

    Raises:
        NoKernels: if the network does anything that the kernels do not support.
    """
    _check_plain(network)
    graph = _graph(network, training=True)
    if str(graph) != str(_graph(network, training=False)):
        raise NoKernels(
            "the network's own Python does one thing in training and another in evaluation"
        )
    return _Reader(network, graph, shape, activations).read()


def _check_plain(network: nn.Module) -> None:
    """Refuse what a trace does not show: hooks, and types other than float32."""
    for module in network.modules():
        if any(getattr(module, name) for name in _HOOKS):
            raise NoKernels(f"a {type(module).__name__} of the network has hooks")
    for tensor in (*network.parameters(), *network.buffers()):
        if tensor.is_floating_point() and tensor.dtype != torch.float32:
            raise NoKernels(f"the kernels compute in float32, not in {tensor.dtype}")


def _graph(network: nn.Module, *, training: bool) -> fx.Graph:
    modes = [(module, module.training) for module in network.modules()]
    try:
        if any(module.training != training for module in network.train(training).modules()):
            raise NoKernels(
                "a module of the network does not change between training and evaluation mode"
            )
        return fx.Tracer().trace(network)
    except NoKernels:
        raise
    except Exception as error:
        # A network's own Python may raise anything when it meets a proxy instead of a tensor.
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise NoKernels(f"the network cannot be traced: {reason}") from error
    finally:
        for module, mode in modes:
            module.training = mode


@dataclass(frozen=True)
class _Value:
    """The number of a map, and whether the network sees it as (n, features)."""

    number: int
    flat: bool = False


class _Reader:
    def __init__(
        self, network: nn.Module, graph: fx.Graph, shape: Shape, activations: Sequence[str]
    ) -> None:
        self._network = network
        self._graph = graph
        self._activations = activations
        self._program = Program([shape])
        self._values: dict[fx.Node, _Value] = {}
        self._tensors: dict[fx.Node, Tensor] = {}
        self._shared: set[int] = set()
        self._logits: _Value | None = None

    def read(self) -> Program:
        for node in self._graph.nodes:
            self._read_node(node)
        logits, shapes = self._logits, self._program.shapes
        if logits is None or not logits.flat or shapes[logits.number][1:] != (1, 1):
            raise NoKernels(
                "the network does not return (n, classes) logits, flattened from 1x1 maps"
            )
        if logits.number != len(shapes) - 1 or not self._program.operations:
            raise NoKernels("the network computes something after its logits")
        read = {number for each in self._program.operations for number in _sources(each)}
        if len(read) != len(shapes) - 1:
            raise NoKernels("the network computes a map that it does not use")
        return self._program

    def _read_node(self, node: fx.Node) -> None:
        self._interpret(node)
        if len(node.users) > 1 and node in self._values:
            self._shared.add(self._values[node].number)

    def _interpret(self, node: fx.Node) -> None:
        match node.op:
            case "placeholder":
                if self._values:
                    raise NoKernels("the network takes more inputs than images")
                self._values[node] = _Value(0)
            case "get_attr":
                self._tensors[node] = operator.attrgetter(str(node.target))(self._network)
            case "call_module":
                module = self._network.get_submodule(str(node.target))
                self._values[node] = self._call(module, node)
            case "output":
                self._logits = self._value(node.args[0])
            case _:
                self._values[node] = self._function(node)

    def _function(self, node: fx.Node) -> _Value:
        target, args = node.target, node.args
        given = dict(zip(("start_dim", "end_dim"), args[1:], strict=False)) | node.kwargs
        if target in ("flatten", torch.flatten) and given == {"start_dim": 1}:
            return replace(self._value(args[0]), flat=True)
        if target is operator.add and not node.kwargs:
            return self._add(self._value(args[0]), self._value(args[1]))
        if target is functional.linear:
            bound = dict(zip(("input", "weight", "bias"), args, strict=False)) | node.kwargs
            weight, bias = self._tensor(bound.get("weight")), self._tensor(bound.get("bias"))
            if weight is not None:
                return self._linear(self._value(bound["input"]), weight, bias)
        if target is operator.getitem and args[1] == (slice(None), slice(None), None, None):
            value = self._value(args[0])
            if value.flat and self._shape(value)[1:] == (1, 1):
                return replace(value, flat=False)
        raise NoKernels(f"the kernels do not support {node.op} {node.target}")

    def _call(self, module: nn.Module, node: fx.Node) -> _Value:
        if len(node.args) != 1 or node.kwargs:
            raise NoKernels(f"{node.target} is called with more than one input")
        value = self._value(node.args[0])
        kind = type(module)
        if getattr(module, "inplace", False) and value.number in self._shared:
            raise NoKernels(f"{node.target} overwrites a map that is read elsewhere")
        if kind is nn.Identity:
            return value
        if isinstance(module, nn.Flatten) and (module.start_dim, module.end_dim) == (1, -1):
            return replace(value, flat=True)
        if isinstance(module, nn.Linear) and kind is nn.Linear:
            return self._linear(value, module.weight, module.bias)
        if value.flat:
            raise NoKernels(f"{node.target} ({kind.__name__}) reads a flattened map")
        if isinstance(module, nn.Conv2d) and kind is nn.Conv2d:
            return self._convolve(value, module)
        if isinstance(module, nn.MaxPool2d | nn.AvgPool2d | nn.AdaptiveAvgPool2d):
            return self._pool(value, module)
        return self._fuse(value, module)

    def _convolve(self, value: _Value, module: nn.Conv2d) -> _Value:
        padding = module.padding
        if module.padding_mode != "zeros" or isinstance(padding, str):
            raise _unknown(module)
        kernel, stride = _pair(module.kernel_size), _pair(module.stride)
        padding, dilation = _pair(padding), _pair(module.dilation)
        channels, rows, columns = self._shape(value)
        _check_channels(module, module.in_channels, channels)
        reach = [1 + each * (size - 1) for size, each in zip(kernel, dilation, strict=True)]
        shape = (
            module.out_channels,
            (rows + 2 * padding[0] - reach[0]) // stride[0] + 1,
            (columns + 2 * padding[1] - reach[1]) // stride[1] + 1,
        )
        return self._append(
            ConvolutionOp(
                value.number,
                self._new_map(shape),
                module.weight,
                module.bias,
                kernel,
                stride,
                padding,
                dilation,
                module.groups,
            )
        )

    def _linear(self, value: _Value, weight: Tensor, bias: Tensor | None) -> _Value:
        channels, height, width = self._shape(value)
        if not value.flat or weight.shape[1] != channels * height * width:
            raise NoKernels(
                f"a linear layer of {weight.shape[1]} inputs reads a map of "
                f"{channels}x{height}x{width}{'' if value.flat else ', which is not flattened'}"
            )
        target = self._new_map((weight.shape[0], 1, 1))
        made = self._append(ConvolutionOp(value.number, target, weight, bias, (height, width)))
        return replace(made, flat=True)

    def _pool(
        self, value: _Value, module: nn.MaxPool2d | nn.AvgPool2d | nn.AdaptiveAvgPool2d
    ) -> _Value:
        channels, height, width = self._shape(value)
        if isinstance(module, nn.AdaptiveAvgPool2d):
            if module.output_size not in (1, (1, 1)):
                raise _unknown(module)
            window, stride, padding = (height, width), (height, width), (0, 0)
        else:
            window, stride = _pair(module.kernel_size), _pair(module.stride)
            padding = _pair(module.padding)
            if module.ceil_mode or not _reads_all_evenly(module):
                raise _unknown(module)
        shape = (
            channels,
            (height + 2 * padding[0] - window[0]) // stride[0] + 1,
            (width + 2 * padding[1] - window[1]) // stride[1] + 1,
        )
        takes_largest = isinstance(module, nn.MaxPool2d)
        target = self._new_map(shape)
        return self._append(PoolingOp(value.number, target, takes_largest, window, stride, padding))

    def _fuse(self, value: _Value, module: nn.Module) -> _Value:
        made = self._norm_activation(module, value.number)
        if made is None:
            return value
        operations, shape = self._program.operations, self._shape(value)
        if made.norm is not None:
            _check_channels(module, made.norm.num_features, shape[0])
        before = operations[-1] if operations else None
        alone = value.number not in self._shared
        if isinstance(before, NormActivationOp) and before.target == value.number and alone:
            fused = before.followed_by(made)
            if fused is not None:
                operations[-1] = fused
                return value
        return self._append(replace(made, target=self._new_map(shape)))

    def _norm_activation(self, module: nn.Module, number: int) -> NormActivationOp | None:
        """Return a module as an operation on a map; None if it does nothing."""
        op = NormActivationOp(number, number)
        kind = type(module)
        if (activation := self._activation(module)) is not None:
            return replace(op, first=activation)
        if isinstance(module, nn.Dropout | nn.Dropout2d) and kind in _DROPS and module.p < 1:
            whole = kind is nn.Dropout2d
            return replace(op, dropout=module.p, drops_channels=whole) if module.p else None
        if isinstance(module, nn.BatchNorm2d) and kind is nn.BatchNorm2d and _keeps_average(module):
            return replace(op, norm=module)
        raise _unknown(module)

    def _activation(self, module: nn.Module) -> int | None:
        """Return the number of the activation that equals a torch module; None without one."""
        kind = type(module)
        text = _INPLACE.sub("", repr(module))
        if getattr(nn, kind.__name__, None) is kind and text in self._activations:
            return self._activations.index(text)
        return None

    def _add(self, left: _Value, right: _Value) -> _Value:
        if left.flat or right.flat or self._shape(left) != self._shape(right):
            raise NoKernels(
                f"the network adds maps of two shapes, {self._shape(left)} and {self._shape(right)}"
                f"{', flattened' if left.flat or right.flat else ''}"
            )
        return self._append(AdditionOp(left.number, right.number, self._new_map(self._shape(left))))

    def _append(self, operation: Operation) -> _Value:
        if isinstance(operation, ConvolutionOp) and operation.weight.numel() > _MOST_WEIGHTS:
            raise NoKernels(
                f"the kernels support layers of up to {_MOST_WEIGHTS:,} weights, but one has "
                f"{operation.weight.numel():,}"
            )
        self._program.operations.append(operation)
        return _Value(operation.target)

    def _new_map(self, shape: Shape) -> int:
        if min(shape) < 1:
            raise NoKernels(f"a map would have the shape {shape}: its layer does not fit its input")
        self._program.shapes.append(shape)
        return len(self._program.shapes) - 1

    def _shape(self, value: _Value) -> Shape:
        return self._program.shapes[value.number]

    def _value(self, argument: object) -> _Value:
        if isinstance(argument, fx.Node) and argument in self._values:
            return self._values[argument]
        raise NoKernels(f"the network computes with {argument}, which is not a map")

    def _tensor(self, argument: object) -> Tensor | None:
        return self._tensors.get(argument) if isinstance(argument, fx.Node) else None


def _check_channels(module: nn.Module, wanted: int, given: int) -> None:
    if wanted != given:
        raise NoKernels(
            f"{type(module).__name__} takes {wanted} channels, but its input has {given}"
        )


def _keeps_average(module: nn.BatchNorm2d) -> bool:
    return module.track_running_stats and module.momentum is not None


def _sources(operation: Operation) -> tuple[int, ...]:
    if isinstance(operation, AdditionOp):
        return operation.left, operation.right
    return (operation.source,)


def _unknown(module: nn.Module) -> NoKernels:
    return NoKernels(f"the kernels do not support {str(module).splitlines()[0]}")


def _pair(size: int | tuple[int, ...]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def _reads_all_evenly(module: nn.MaxPool2d | nn.AvgPool2d) -> bool:
    if isinstance(module, nn.MaxPool2d):
        return _pair(module.dilation) == (1, 1) and not module.return_indices
    counts_padding = module.count_include_pad or _pair(module.padding) == (0, 0)
    return module.divisor_override is None and counts_padding

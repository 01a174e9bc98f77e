"""A recording of a training step on the CPU that repeats what a CUDA graph would repeat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from trainer.backends import cuda_graph

# What reads a number of the device, for which a recording cannot wait.
_READS = (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.is_nonzero.default)


class Tape(TorchDispatchMode):
    """A record of torch's operations, with the tensors and the numbers that they were given.

    A replay repeats them on the same tensors. What was a number of Python stays what it was, as in
    a CUDA graph; random operations draw anew.

    Raises:
        RuntimeError: inside the block, by an operation that reads a number of a tensor.
    """

    def __init__(self) -> None:
        super().__init__()
        self._calls: list[tuple[Any, tuple[Any, ...], dict[str, Any], list[Any]]] = []

    def __torch_dispatch__(
        self,
        operation: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Do the operation and write it down."""
        if operation in _READS:
            raise RuntimeError(f"{operation} reads a number, which a recording cannot wait for")
        result = operation(*args, **(kwargs or {}))
        self._calls.append((operation, args, kwargs or {}, tree_leaves(result)))
        return result

    def replay(self) -> None:
        """Repeat every operation; its results go where they went when it was recorded."""
        with torch.no_grad():
            for operation, args, kwargs, results in self._calls:
                again = tree_leaves(operation(*args, **kwargs))
                for kept, new in zip(results, again, strict=True):
                    if isinstance(kept, Tensor) and not _same_memory(kept, new):
                        kept.copy_(new)


def _same_memory(one: Tensor, other: Tensor) -> bool:
    return one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()


def record(function: Callable[[], Any], state: Sequence[Tensor]) -> Callable[[], Any]:
    """Record a function as the graph backend does on a GPU: warm it up, write it down, replay."""
    cuda_graph._warm_up(function, state)
    with cuda_graph._untouched(state), Tape() as tape:
        results = function()

    def replay() -> Any:
        tape.replay()
        return results

    return replay

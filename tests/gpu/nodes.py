"""What a recorded CUDA graph consists of, asked of the CUDA runtime that torch has loaded."""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import torch

__all__ = ["count_nodes", "kept_graphs"]

_KINDS = {
    0: "kernel",
    1: "copy",
    2: "fill",
    3: "host",
    4: "graph",
    5: "empty",
    6: "wait",
    7: "event",
    10: "allocation",
    11: "free",
}
"""cudaGraphNodeType of driver_types.h, in words."""


@contextmanager
def kept_graphs() -> Iterator[list[torch.cuda.CUDAGraph]]:
    """Collect the graphs that are recorded inside, and make torch keep their nodes."""
    plain = torch.cuda.CUDAGraph
    made: list[torch.cuda.CUDAGraph] = []

    def keeping() -> torch.cuda.CUDAGraph:
        graph = plain(keep_graph=True)
        made.append(graph)
        return graph

    with patch.object(torch.cuda, "CUDAGraph", keeping):
        yield made


def count_nodes(graph: torch.cuda.CUDAGraph) -> dict[str, int]:
    """Return how many nodes of each kind a kept graph has.

    Raises:
        RuntimeError: if the CUDA runtime refuses, with its number.
    """
    runtime = ctypes.CDLL(None)
    pointer = ctypes.c_void_p(graph.raw_cuda_graph())
    count = ctypes.c_size_t(0)
    _check(runtime.cudaGraphGetNodes(pointer, None, ctypes.byref(count)))
    nodes = (ctypes.c_void_p * count.value)()
    _check(runtime.cudaGraphGetNodes(pointer, nodes, ctypes.byref(count)))
    return {"all": count.value, **Counter(_kind(runtime, node) for node in nodes)}


def _kind(runtime: ctypes.CDLL, node: int | None) -> str:
    kind = ctypes.c_int(-1)
    code = runtime.cudaGraphNodeGetType(ctypes.c_void_p(node), ctypes.byref(kind))
    # The number of nodes is worth keeping also where their kinds are not told.
    return f"not told ({code})" if code else _KINDS.get(kind.value, f"kind {kind.value}")


def _check(code: int) -> None:
    if code:
        raise RuntimeError(f"the CUDA runtime answers {code} when it is asked for a graph's nodes")

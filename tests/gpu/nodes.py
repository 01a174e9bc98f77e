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
    """Return how many nodes a kept graph has, in all and of each kind.

    Raises:
        RuntimeError: if the CUDA runtime does not tell their number.
    """
    runtime = ctypes.CDLL(None)
    pointer = ctypes.c_void_p(graph.raw_cuda_graph())
    count = ctypes.c_size_t(0)
    code = runtime.cudaGraphGetNodes(pointer, None, ctypes.byref(count))
    if code:
        raise RuntimeError(f"the CUDA runtime answers {code} when it is asked for a graph's nodes")
    return {"all": count.value, **_kinds(runtime, pointer, count.value)}


def _kinds(runtime: ctypes.CDLL, graph: ctypes.c_void_p, count: int) -> Counter[str]:
    nodes = (ctypes.c_void_p * count)()
    code = runtime.cudaGraphGetNodes(graph, nodes, ctypes.byref(ctypes.c_size_t(count)))
    kinds: Counter[str] = Counter()
    for node in nodes:
        kind = ctypes.c_int(-1)
        code = code or runtime.cudaGraphNodeGetType(ctypes.c_void_p(node), ctypes.byref(kind))
        # The number of nodes is worth keeping also where their kinds are not told.
        kinds[f"not told ({code})" if code else _KINDS.get(kind.value, f"kind {kind.value}")] += 1
    if code:
        runtime.cudaGetLastError()  # Else the next call of torch's would report this one.
    return kinds

"""The hollow device itself: that it refuses what CUDA refuses, so that the other tests can fail."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from ctypes import byref, c_int, c_size_t, c_uint, c_void_p
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.hollow import journal
from tests.hollow.journal import Kind, Place, Thing

pytestmark = pytest.mark.hollow

NON_BLOCKING = 1
GLOBAL, THREAD_LOCAL, RELAXED = 0, 1, 2

# Of driver_types.h.
NO_ROOM = 2
ILLEGAL_STATE = 401
UNSUPPORTED, INVALIDATED, MERGE, UNMATCHED, UNJOINED, ISOLATION, IMPLICIT, CAPTURED = range(
    900, 908
)
WRONG_THREAD = 908


class Cuda:
    """The calls of the CUDA runtime, each returning its error."""

    def __getattr__(self, name: str) -> Callable[..., int]:
        return getattr(ctypes.CDLL(None), f"cuda{name}")  # type: ignore[no-any-return]

    def stream(self, flags: int = NON_BLOCKING) -> c_void_p:
        """Make a stream."""
        return self._made(self.StreamCreateWithFlags, c_uint(flags))

    def event(self) -> c_void_p:
        """Make an event."""
        return self._made(self.EventCreateWithFlags, c_uint(0))

    def memory(self, size: int) -> c_void_p:
        """Allocate memory of the device."""
        return self._made(self.Malloc, c_size_t(size))

    def pinned(self, size: int) -> c_void_p:
        """Allocate pinned memory of the host."""
        return self._made(self.HostAlloc, c_size_t(size), c_uint(0))

    def begin(self, stream: c_void_p, mode: int = GLOBAL) -> None:
        """Begin a capture."""
        assert self.StreamBeginCapture(stream, c_int(mode)) == 0

    def end(self, stream: c_void_p) -> tuple[int, c_void_p]:
        """End a capture."""
        graph = c_void_p()
        return self.StreamEndCapture(stream, byref(graph)), graph

    def fill(self, pointer: c_void_p, stream: c_void_p | None = None) -> int:
        """Give a stream some work."""
        return self.MemsetAsync(pointer, c_int(0), c_size_t(8), stream)

    def copy(self, to: Any, source: Any, stream: c_void_p | None = None) -> int:
        """Copy eight bytes, the direction told by the addresses."""
        return self.MemcpyAsync(to, source, c_size_t(8), c_int(4), stream)

    def _made(self, make: Callable[..., int], *arguments: object) -> c_void_p:
        made = c_void_p()
        assert make(byref(made), *arguments) == 0
        return made


@pytest.fixture
def cuda() -> Iterator[Cuda]:
    """The runtime; the last error is not left to torch."""
    yield Cuda()
    ctypes.CDLL(None).cudaGetLastError()


def violations() -> list[str]:
    """Return what was refused."""
    return [each.name for each in journal.records() if each.kind is Kind.VIOLATION]


def executable(cuda: Cuda) -> c_void_p:
    """A graph of one node, ready to be launched."""
    stream, memory = cuda.stream(), cuda.memory(8)
    cuda.begin(stream)
    assert cuda.fill(memory, stream) == 0
    _, graph = cuda.end(stream)
    ready = c_void_p()
    assert cuda.GraphInstantiateWithFlags(byref(ready), graph, ctypes.c_ulonglong(0)) == 0
    assert cuda.GraphDestroy(graph) == 0
    return ready


REFUSED: dict[str, Callable[[Cuda], Callable[[], int]]] = {
    "cudaMalloc": lambda cuda: lambda: cuda.Malloc(byref(c_void_p()), c_size_t(8)),
    "cudaFree": lambda cuda: _with(cuda.Free, cuda.memory(8)),
    "cudaHostAlloc": lambda cuda: lambda: cuda.HostAlloc(byref(c_void_p()), c_size_t(8), c_uint(0)),
    "cudaFreeHost": lambda cuda: _with(cuda.FreeHost, cuda.pinned(8)),
    "cudaMemcpy": lambda cuda: _with(
        cuda.Memcpy, cuda.memory(8), cuda.memory(8), c_size_t(8), c_int(4)
    ),
    "cudaMemset": lambda cuda: _with(cuda.Memset, cuda.memory(8), c_int(0), c_size_t(8)),
    "cudaDeviceSynchronize": lambda cuda: cuda.DeviceSynchronize,
    "cudaStreamSynchronize": lambda cuda: _with(cuda.StreamSynchronize, cuda.stream()),
    "cudaStreamQuery": lambda cuda: _with(cuda.StreamQuery, cuda.stream()),
    "cudaEventSynchronize": lambda cuda: _with(cuda.EventSynchronize, cuda.event()),
    "cudaEventQuery": lambda cuda: _with(cuda.EventQuery, cuda.event()),
    "cudaGraphExecDestroy": lambda cuda: _with(cuda.GraphExecDestroy, executable(cuda)),
}
"""The calls that are refused while a stream captures, prepared and then made."""


def _with(call: Callable[..., int], *arguments: object) -> Callable[[], int]:
    return lambda: call(*arguments)


@pytest.mark.parametrize("name", REFUSED)
def test_unsafe_calls_break_a_capture(cuda: Cuda, name: str) -> None:
    """A call that may wait for the device or free its memory is refused, and ends the capture."""
    call, stream = REFUSED[name](cuda), cuda.stream()
    cuda.begin(stream)
    assert call() == UNSUPPORTED
    assert violations() == [name]
    error, graph = cuda.end(stream)
    assert (error, graph.value) == (INVALIDATED, None)
    assert call() == 0


def test_modes_say_whom_a_capture_binds(cuda: Cuda) -> None:
    """A relaxed thread may make unsafe calls, and so may all in a relaxed capture."""
    pointer = c_void_p()
    stream = cuda.stream()
    cuda.begin(stream, RELAXED)
    assert cuda.Malloc(byref(pointer), c_size_t(8)) == 0
    assert cuda.end(stream)[0] == 0

    cuda.begin(stream, GLOBAL)
    mode = c_int(RELAXED)
    assert cuda.ThreadExchangeStreamCaptureMode(byref(mode)) == 0
    assert mode.value == GLOBAL
    assert cuda.Free(pointer) == 0
    assert cuda.ThreadExchangeStreamCaptureMode(byref(mode)) == 0
    assert cuda.end(stream)[0] == 0
    assert violations() == []


def test_other_threads_are_bound_by_global_captures(cuda: Cuda) -> None:
    """Another thread is refused during a global capture, and free during a thread-local one."""
    stream = cuda.stream()
    with ThreadPoolExecutor(1) as pool:
        cuda.begin(stream, GLOBAL)
        assert pool.submit(cuda.DeviceSynchronize).result() == UNSUPPORTED
        assert cuda.end(stream)[0] == INVALIDATED
        cuda.begin(stream, THREAD_LOCAL)
        assert pool.submit(cuda.DeviceSynchronize).result() == 0
        assert pool.submit(cuda.end, stream).result()[0] == WRONG_THREAD
        assert cuda.end(stream)[0] == INVALIDATED


def test_pageable_copies_break_a_capture(cuda: Cuda) -> None:
    """A graph takes copies between device and pinned memory, and none of pageable memory."""
    stream, memory, pinned = cuda.stream(), cuda.memory(8), cuda.pinned(8)
    cuda.begin(stream)
    assert cuda.copy(memory, pinned, stream) == 0
    assert cuda.copy(pinned, memory, stream) == 0
    assert violations() == []
    assert cuda.copy(memory, ctypes.create_string_buffer(8), stream) == UNSUPPORTED
    assert cuda.end(stream)[0] == INVALIDATED


def test_work_is_told_apart_by_its_place(cuda: Cuda) -> None:
    """Work of a capturing stream is in the graph, that of another one beside it, else live."""
    stream, other, memory = cuda.stream(), cuda.stream(), cuda.memory(8)
    journal.reset()
    cuda.fill(memory, stream)
    cuda.begin(stream)
    cuda.fill(memory, stream)
    cuda.fill(memory, other)
    cuda.fill(memory)
    error, graph = cuda.end(stream)
    cuda.fill(memory, other)
    places = [each.place for each in journal.records() if each.kind is Kind.MEMSET]
    assert places == [Place.LIVE, Place.GRAPH, Place.BESIDE, Place.BESIDE, Place.LIVE]
    count = c_size_t()
    assert error == 0
    assert cuda.GraphGetNodes(graph, None, byref(count)) == 0
    assert count.value == 1


@pytest.mark.parametrize("joined", [True, False])
def test_streams_join_by_events(cuda: Cuda, joined: bool) -> None:
    """A stream that waits for an event of a capture is in it, and must be waited for in turn."""
    stream, side, memory = cuda.stream(), cuda.stream(), cuda.memory(8)
    fork, join = cuda.event(), cuda.event()
    cuda.begin(stream)
    cuda.fill(memory, stream)
    cuda.EventRecord(fork, stream)
    assert cuda.StreamWaitEvent(side, fork, c_uint(0)) == 0
    cuda.fill(memory, side)
    if joined:
        cuda.EventRecord(join, side)
        assert cuda.StreamWaitEvent(stream, join, c_uint(0)) == 0
    places = [each.place for each in journal.records() if each.kind is Kind.MEMSET]
    assert places == [Place.GRAPH, Place.GRAPH]
    error, graph = cuda.end(stream)
    assert error == (0 if joined else UNJOINED)
    assert bool(graph.value) is joined


def test_a_capture_is_the_affair_of_its_stream(cuda: Cuda) -> None:
    """A capture ends in the stream where it began; its events can be asked nothing."""
    stream, side, event = cuda.stream(), cuda.stream(), cuda.event()
    cuda.begin(stream)
    cuda.EventRecord(event, stream)
    assert cuda.EventQuery(event) == CAPTURED
    assert cuda.StreamWaitEvent(side, event, c_uint(0)) == 0
    assert cuda.end(side)[0] == UNMATCHED
    assert cuda.StreamDestroy(stream) == UNSUPPORTED
    assert cuda.end(stream)[0] == INVALIDATED
    assert cuda.EventSynchronize(event) == CAPTURED


def test_captures_depend_on_nothing_outside(cuda: Cuda) -> None:
    """A capturing stream may not wait for live work, nor two captures for each other."""
    stream, other, live, event = cuda.stream(), cuda.stream(), cuda.event(), cuda.event()
    cuda.EventRecord(live, other)
    cuda.begin(stream)
    assert cuda.StreamWaitEvent(stream, live, c_uint(0)) == ISOLATION
    assert cuda.end(stream)[0] == INVALIDATED

    cuda.begin(stream)
    cuda.begin(other)
    cuda.EventRecord(event, stream)
    assert cuda.StreamWaitEvent(other, event, c_uint(0)) == MERGE
    assert cuda.end(stream)[0] == cuda.end(other)[0] == INVALIDATED


def test_the_legacy_stream_does_not_capture(cuda: Cuda) -> None:
    """Stream 0 neither captures nor joins, and takes no work while it waits for a capture."""
    blocking, memory = cuda.stream(flags=0), cuda.memory(8)
    assert cuda.StreamBeginCapture(None, c_int(GLOBAL)) == UNSUPPORTED
    cuda.begin(blocking)
    assert cuda.StreamBeginCapture(blocking, c_int(GLOBAL)) == ILLEGAL_STATE
    assert cuda.fill(memory) == IMPLICIT
    assert cuda.end(blocking)[0] == INVALIDATED
    assert cuda.end(blocking)[0] == ILLEGAL_STATE

    stream, event = cuda.stream(), cuda.event()
    cuda.begin(stream)
    cuda.EventRecord(event, stream)
    assert cuda.StreamWaitEvent(None, event, c_uint(0)) == IMPLICIT
    assert cuda.end(stream)[0] == INVALIDATED


def test_memory_ends_and_is_given_back(cuda: Cuda) -> None:
    """A device has as much memory as its limit says, and freed memory counts no more."""
    before = journal.used_memory()
    journal.limit_memory(before + 4096)
    memory = cuda.memory(4096)
    assert cuda.Malloc(byref(c_void_p()), c_size_t(1)) == NO_ROOM
    assert [each.amount for each in journal.records() if each.kind is Kind.OUT_OF_MEMORY] == [1]
    assert cuda.Free(memory) == 0
    assert journal.used_memory() == before
    cuda.Free(cuda.memory(4096))
    assert journal.peak_memory() >= before + 4096


def test_torch_runs_out_of_memory() -> None:
    """Torch turns the limit into its own error, and goes on with what fits."""
    torch.cuda.empty_cache()
    journal.limit_memory(journal.used_memory() + (8 << 20))
    with pytest.raises(torch.OutOfMemoryError):
        torch.empty(16 << 20, dtype=torch.uint8, device="cuda")
    assert torch.empty(1 << 20, dtype=torch.uint8, device="cuda").is_cuda


WAITS_IN_A_CAPTURE = """
import torch
value = torch.zeros(8, device="cuda")
with torch.cuda.graph(torch.cuda.CUDAGraph()):
    value.sum().item()
"""


def test_torch_meets_the_rules_of_captures(tmp_path: Path) -> None:
    """A program that waits for the device inside a capture fails, and its journal says by what."""
    # A broken capture is not for a process that goes on: torch's allocator does not recover.
    done = subprocess.run(
        [sys.executable, "-c", WAITS_IN_A_CAPTURE],
        env={**os.environ, "HOLLOW_JOURNALS": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "CUDA error" in done.stderr
    (written,) = tmp_path.iterdir()
    refused = [each for each in journal.read(written) if each.kind is Kind.VIOLATION]
    assert "cudaStreamSynchronize" in [each.name for each in refused]


def test_torch_launches_what_it_recorded() -> None:
    """A replay of a graph of one kernel is one launch with one node."""
    value, graph = torch.zeros(8, device="cuda"), torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        value.add_(1)
    journal.reset()
    graph.replay()
    (launch,) = journal.records()
    assert (launch.kind, launch.amount, launch.place) == (Kind.GRAPH, 1, Place.LIVE)


def test_the_host_reads_zeros_by_copies_only() -> None:
    """A copy to the host brings zeros, whatever was sent to the device."""
    sent = torch.arange(4.0).to("cuda")
    assert sent.cpu().tolist() == [0.0] * 4


def test_each_device_is_counted_by_itself() -> None:
    """Memory, work and limits belong to one device, and torch sees two of them."""
    assert torch.cuda.device_count() == 2
    before = journal.used_memory(0)
    held = torch.zeros(1 << 20, device="cuda:1")
    kernels = {each.device for each in journal.records() if each.kind is Kind.KERNEL}
    assert kernels == {held.device.index} == {1}
    assert journal.used_memory(1) >= held.nbytes
    assert journal.used_memory(0) == before


USES_THE_SECOND_DEVICE = """
import torch
torch.zeros(8, device="cuda:1").sum().item()
torch.ones(8).pin_memory()
torch.cuda.get_device_properties(0)
"""


@pytest.mark.parametrize(("more", "contexts"), [("", [1]), ("torch.cuda.set_device(0)", [1, 0])])
def test_devices_that_are_used_have_a_context(
    tmp_path: Path, more: str, contexts: list[int]
) -> None:
    """A device takes memory for a context once it is used or chosen, not when it is asked about."""
    subprocess.run(
        [sys.executable, "-c", USES_THE_SECOND_DEVICE + more],
        env={**os.environ, "HOLLOW_JOURNALS": str(tmp_path)},
        check=True,
    )
    (written,) = tmp_path.iterdir()
    assert [each.device for each in journal.read(written) if each.name == "context"] == contexts


def test_what_is_destroyed_does_not_live(cuda: Cuda) -> None:
    """Streams and graphs are counted while they live."""
    before = journal.living(Thing.EXECUTABLE), journal.living(Thing.STREAM)
    graph, stream = executable(cuda), cuda.stream()
    assert journal.living(Thing.EXECUTABLE) == before[0] + 1
    cuda.GraphExecDestroy(graph)
    now = journal.living(Thing.STREAM)
    cuda.StreamDestroy(stream)
    assert journal.living(Thing.EXECUTABLE) == before[0]
    assert journal.living(Thing.STREAM) == now - 1


def test_waits_are_counted_once() -> None:
    """Fetching a number waits once, whether through pinned memory or pageable memory."""
    value = torch.zeros(2, device="cuda")
    journal.reset()
    value.sum().item()
    assert journal.waits(journal.records()) == 1
    journal.reset()
    value.tolist()
    assert journal.waits(journal.records()) == 1
    journal.reset()
    torch.empty(2).copy_(value, non_blocking=True)
    assert journal.waits(journal.records()) == 1

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CDLL

import pytest
import torch

from space import Architecture
from tests.trainer.drawn_networks import network_of, noise
from trainer.native.library import SOURCE
from trainer.native.network import CompiledNetwork
from trainer.native.toolchain import build_library
from trainer.weights import FlatWeights

DRIVER = f"""
#include "{SOURCE.parent / "thread_pool.h"}"

#include <pthread.h>

#include <memory>
#include <stdexcept>

using flyweight::ThreadPool;

// How often each block was done in a pool's runs of `count` blocks; how many threads it
// has, or -1 if a block was given the number of no thread.
extern "C" int work(int threads, int runs, int count, int* done) {{
    ThreadPool pool(threads);
    std::atomic<bool> strange{{false}};
    for (int run = 0; run < runs; ++run)
        pool.run(count, [&](int block, int thread) {{
            ++done[block];
            if (thread < 0 || thread >= pool.size()) strange = true;
        }});
    return strange ? -1 : pool.size();
}}

// Runs of all sizes below `most`, by pools that are made and freed meanwhile; the blocks done.
extern "C" long work_unevenly(int threads, int most) {{
    std::atomic<long> done{{0}};
    auto pool = std::make_unique<ThreadPool>(threads);
    for (int count = 0; count < most; ++count) {{
        if (count % 16 == 0) pool = std::make_unique<ThreadPool>(threads);
        pool->run(count, [&](int, int) {{ ++done; }});
    }}
    return done;
}}

// Whether a failure of one block reaches the caller, after the others were done.
extern "C" int fail(int threads, int count, int failing) {{
    ThreadPool pool(threads);
    for (int run = 0; run < 20; ++run) {{
        std::atomic<int> done{{0}};
        try {{
            pool.run(count, [&](int block, int) {{
                if (block == failing) throw std::length_error("this block");
                ++done;
            }});
            return 0;
        }} catch (const std::length_error&) {{
            if (done != count - 1) return 0;
        }}
        pool.run(count, [](int, int) {{}});
    }}
    return 1;
}}

// Makes threads that are started from now on want more memory than there is.
extern "C" int starve() {{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    return pthread_attr_setstacksize(&attributes, size_t{{1}} << 46) ||
           pthread_setattr_default_np(&attributes);
}}
"""


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> CDLL:
    """C functions that put a pool of the kernels to work."""
    source = tmp_path_factory.mktemp("driver") / "driver.cpp"
    source.write_text(DRIVER)
    library = CDLL(str(build_library(source, source.parent / "built")))
    library.work_unevenly.restype = ctypes.c_long
    return library


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Processes that take what they get of all cores."""
    command = ["sh", "-c", "while :; do :; done"]
    running = [subprocess.Popen(command) for _ in range(processes)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def holds_in_child(condition: Callable[[], bool]) -> bool:
    """Whether a condition holds in a forked process, and that within 20 seconds."""
    pid = os.fork()
    if not pid:
        held = False
        try:
            held = condition()
        finally:
            os._exit(0 if held else 1)
    for _ in range(200):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return status == 0
        time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return False


@pytest.mark.parametrize("threads", [0, 1, 2, 3, 5, 16])
@pytest.mark.parametrize("count", [1, 2, 8, 1000])
def test_each_block_is_done_once(driver: CDLL, threads: int, count: int) -> None:
    """Run after run each block must be done exactly once, whoever does it."""
    done = (ctypes.c_int * count)()
    assert driver.work(threads, 200, count, done) == max(threads, 1)
    assert set(done) == {200}


@pytest.mark.parametrize("threads", [2, 3, 16])
def test_runs_may_be_of_any_size(driver: CDLL, threads: int) -> None:
    """Runs of no blocks, of fewer and of more than threads must follow each other."""
    assert driver.work_unevenly(threads, 300) == sum(range(300))


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("failing", [0, 3, 7])
def test_a_failure_reaches_the_caller(driver: CDLL, threads: int, failing: int) -> None:
    """What a block throws in any thread must reach the caller, and leave the pool usable."""
    assert driver.fail(threads, 8, failing)


@pytest.mark.skipif(sys.platform != "linux", reason="starves threads as Linux allows it")
def test_a_pool_does_without_threads_that_cannot_start(driver: CDLL) -> None:
    """Where no thread can be started the caller must do all the work."""
    done = (ctypes.c_int * 8)()

    def starve() -> bool:
        starved = driver.starve() == 0
        return starved and driver.work(4, 3, 8, done) == 1 and set(done) == {3}

    assert holds_in_child(starve)


def learner(threads: int) -> tuple[CompiledNetwork, dict[str, torch.Tensor]]:
    """A network of several phases by the kernels, and what it gathers."""
    text = "conv3 6 pad1 bn silu drop0.2\nconv3 8 pad1 bn relu\nmaxpool2\nlinear 5"
    network = network_of(Architecture.parse(text, (2, 8, 8)))
    gradients = FlatWeights(network).make_gradient()
    made = CompiledNetwork(network, (2, 8, 8), gradients, 150, threads)
    gathered = {name: gradients[parameter] for name, parameter in network.named_parameters()}
    return made, gathered | dict(network.named_buffers())


def test_other_processes_change_no_figure() -> None:
    """On cores that others use too, with more threads than cores, figures must be the same."""
    pixels, labels = noise((150, 2, 8, 8), 1), torch.arange(150) % 5
    (alone, wanted), (together, gathered) = learner(1), learner(5)
    with busy(2 * (os.cpu_count() or 1)):
        for step in range(60):
            count = 150 - step % 7 * 20
            some = pixels[:count], labels[:count], step, 0.1
            losses = alone.forward_backward(*some)[0], together.forward_backward(*some)[0]
            assert torch.equal(*losses), step
    for name, tensor in wanted.items():
        assert torch.equal(gathered[name], tensor), name


def test_a_forked_process_can_use_and_drop_a_network() -> None:
    """A forked copy of a network, without its threads, must compute and be dropped in no time."""
    pixels = noise((60, 2, 8, 8), 1)
    network, _ = learner(3)
    logits = network.infer(pixels)
    # Long enough for the threads to sleep.
    time.sleep(0.05)

    def use_and_drop() -> bool:
        same = torch.equal(network.infer(pixels), logits)
        network.__del__()
        return same

    assert holds_in_child(use_and_drop)
    assert torch.equal(network.infer(pixels), logits)

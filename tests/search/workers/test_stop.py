from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from search.workers.stop import Stopped, StopSignal
from tests.search.small_studies import ROOT


@pytest.fixture
def stop() -> Iterator[StopSignal]:
    """A stop signal that hears this process's signals for the length of a test."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signalled = StopSignal()
    signalled.listen()
    yield signalled
    for number, handler in kept.items():
        signal.signal(number, handler)


def _signal_and_work(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)
    time.sleep(5)
    pytest.fail("the work was not broken off")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interruptible_work_is_broken_off(stop: StopSignal, number: signal.Signals) -> None:
    """A signal in the middle of interruptible work ends it at once."""
    with pytest.raises(Stopped), stop.interruptible():
        _signal_and_work(number)
    assert stop


def test_other_work_is_finished(stop: StopSignal) -> None:
    """A signal outside of interruptible work only leaves word, which the next such work finds."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.05)
    assert stop
    done = []
    with pytest.raises(Stopped), stop.interruptible():
        done.append("any of it")
    assert not done


def test_work_after_interruptible_work_is_finished(stop: StopSignal) -> None:
    """Where interruptible work has ended nothing is broken off any more."""
    with stop.interruptible():
        pass
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.05)
    assert stop


def test_stopping_is_no_error(stop: StopSignal) -> None:
    """Code that handles errors of its own does not take a stop for one of them."""
    with pytest.raises(Stopped), stop.interruptible(), suppress(Exception):
        _signal_and_work(signal.SIGINT)


FOLLOWER = """
import sys, time
from search.workers.stop import Stopped, StopSignal
stop = StopSignal()
stop.listen()
stop.follow_parent()
print("ready", flush=True)
try:
    with stop.interruptible():
        time.sleep(60)
except Stopped:
    sys.exit(7)
"""


def test_a_process_that_follows_stops_with_its_parents_end() -> None:
    """A worker stops when its standard input ends, as it does however its parent dies."""
    process = subprocess.Popen(
        [sys.executable, "-c", FOLLOWER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    assert process.poll() is None
    process.stdin.close()
    assert process.wait(30) == 7
    process.stdout.close()

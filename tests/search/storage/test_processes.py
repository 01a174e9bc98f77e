from __future__ import annotations

import dataclasses
import os
import subprocess
import sys

from search.storage.processes import ProcessId, this_process


def _own_id_of_child() -> ProcessId:
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.write(writing, str(this_process().to_dict()).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        return ProcessId.from_dict(eval(pipe.read()))


def test_this_process_is_alive() -> None:
    """A process never takes itself for dead."""
    assert not this_process().is_known_dead()
    assert this_process().pid == os.getpid()


def test_values_go_through_json() -> None:
    """What is stored with a trial names the same process again."""
    assert ProcessId.from_dict(this_process().to_dict()) == this_process()


def test_a_forked_process_has_its_own_id() -> None:
    """A process that was forked after its parent asked who it is does not answer as its parent."""
    parent, child = this_process(), _own_id_of_child()
    assert child.pid != parent.pid
    assert child.is_known_dead()


def test_an_ended_process_is_known_dead() -> None:
    """A killed process is known dead, also before its parent has taken notice of it."""
    code = (
        "from search.storage.processes import this_process as me; print(me().to_dict(), flush=True)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", f"{code}; input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    child = ProcessId.from_dict(eval(process.stdout.readline()))
    assert not child.is_known_dead()
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert child.is_known_dead()
    process.communicate()
    assert child.is_known_dead()


def test_a_number_that_another_process_has_now_is_dead() -> None:
    """A process number that was given again does not bring the process back."""
    earlier = dataclasses.replace(this_process(), started="an earlier boot:1")
    assert earlier.is_known_dead()


def test_nothing_is_known_of_other_machines() -> None:
    """A process on another host is left alone."""
    assert not ProcessId("elsewhere.invalid", 1, "").is_known_dead()

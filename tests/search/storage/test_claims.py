from __future__ import annotations

import multiprocessing
import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from search.storage.claims import Claims
from search.storage.database import open_storage
from search.storage.processes import this_process

FORK = multiprocessing.get_context("fork")


def _claims(folder: Path, work: str = "trial", study: int = 1) -> Claims:
    storage = open_storage(f"sqlite:///{folder / 'study.db'}", create=True)
    return Claims(storage.engine, study, work)


def _take_and_wait(folder: Path, pipe: Connection) -> None:
    pipe.send(_claims(folder).take(9))
    signal.pause()


def _holder(folder: Path) -> tuple[int, int]:
    """A process that has taken a slot and works on: its number and the slot."""
    mine, its = FORK.Pipe()
    process = FORK.Process(target=_take_and_wait, args=(folder, its), daemon=True)
    process.start()
    assert process.pid is not None
    return process.pid, mine.recv()


def test_the_lowest_free_slot_is_taken(tmp_path: Path) -> None:
    """Slots are numbered without gaps, and a larger total adds only what is new."""
    claims = _claims(tmp_path)
    assert [claims.take(3) for _ in range(4)] == [0, 1, 2, None]
    claims.release(1)
    assert [claims.take(5) for _ in range(4)] == [1, 3, 4, None]


def test_kinds_of_work_and_studies_are_apart(tmp_path: Path) -> None:
    """A slot of one kind of work or one study says nothing of another's."""
    _claims(tmp_path).take(1)
    assert _claims(tmp_path, "confirm-1-final").take(1) == 0
    assert _claims(tmp_path, study=2).take(1) == 0
    assert _claims(tmp_path).take(1) is None


def test_a_finished_slot_is_never_given_back(tmp_path: Path) -> None:
    """What is done is done, whoever releases it and whether its process lives or not."""
    claims = _claims(tmp_path)
    slot = claims.take(1)
    assert slot == 0
    claims.finish(slot)
    claims.release(slot)
    claims.release_dead()
    assert claims.done() == 1
    assert claims.take(1) is None


def test_slots_of_living_processes_stay_theirs(tmp_path: Path) -> None:
    """Neither releasing one's own slot nor releasing the dead's touches another's."""
    pid, slot = _holder(tmp_path)
    claims = _claims(tmp_path)
    claims.release(slot)
    claims.release_dead()
    assert claims.of_dead() == {}
    assert claims.take(1) is None
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


@pytest.mark.parametrize("reaped", [False, True])
def test_slots_of_killed_processes_are_given_back(tmp_path: Path, reaped: bool) -> None:
    """A killed process holds nothing from that moment on."""
    pid, slot = _holder(tmp_path)
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | (0 if reaped else os.WNOWAIT))
    claims = _claims(tmp_path)
    assert {slot: holder.pid for slot, holder in claims.of_dead().items()} == {slot: pid}
    claims.release_dead()
    assert claims.take(9) == slot
    assert claims.of_dead() == {}
    if not reaped:
        os.waitpid(pid, 0)


def test_a_slot_is_released_for_the_holder_it_was_seen_with(tmp_path: Path) -> None:
    """A slot that went from a dead process to a living one meanwhile is not taken from it."""
    pid, slot = _holder(tmp_path)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    claims = _claims(tmp_path)
    dead = claims.of_dead()
    claims.release(slot, dead[slot])
    assert claims.take(1) == slot
    claims.release(slot, dead[slot])
    assert claims.take(1) is None
    claims.release(slot, this_process())
    assert claims.take(1) == slot

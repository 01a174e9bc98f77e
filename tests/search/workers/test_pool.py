from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from search.errors import InputError, WorkFailed
from search.workers.pool import WorkerPool
from tests.search.small_studies import ROOT, is_alive, wait_for

WORKER = """
import os, signal, sys
from pathlib import Path
Path(f"started.{os.getpid()}").touch()
"""


def _worker(folder: Path, code: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A module that can stand for a worker, and ourselves in an empty working directory."""
    (folder / "modules").mkdir()
    (folder / "modules" / "stand_in.py").write_text(WORKER + code)
    (folder / "here").mkdir()
    monkeypatch.chdir(folder / "here")
    monkeypatch.syspath_prepend(str(folder / "modules"))
    return ["stand_in"]


def _watch(pool: WorkerPool) -> None:
    with pool:
        while pool.is_working():
            time.sleep(0.02)


def _started() -> list[int]:
    return [int(path.suffix[1:]) for path in Path.cwd().glob("started.*")]


def test_a_crew_is_done_when_all_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each worker is told its number and how many there are, and all end well."""
    command = _worker(
        tmp_path, "Path(f'args.{sys.argv[-1]}').write_text(str(sys.argv))", monkeypatch
    )
    _watch(WorkerPool(command, 3, lambda: None))
    found = {path.name: path.read_text() for path in Path.cwd().glob("args.*")}
    assert sorted(found) == ["args.0", "args.1", "args.2"]
    assert all("'--workers', '3', '--follow-parent'" in text for text in found.values())


@pytest.mark.parametrize(("code", "kind"), [(1, WorkFailed), (2, InputError), (77, WorkFailed)])
def test_an_error_of_a_worker_ends_the_crew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, kind: type[Exception]
) -> None:
    """The pool ends with the worker's last words, and none of the others is left behind."""
    text = f"""
if sys.argv[-1] == "1":
    print("chatter", file=sys.stderr)
    print("what went wrong", file=sys.stderr)
    sys.exit({code})
sys.stdin.read()
"""
    with pytest.raises(kind, match=r"^what went wrong$"):
        _watch(WorkerPool(_worker(tmp_path, text, monkeypatch), 2, lambda: None))
    assert not any(is_alive(pid) for pid in _started())


def test_an_error_without_words_is_one_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that fails silently still makes a message."""
    with pytest.raises(WorkFailed, match="without a message"):
        _watch(WorkerPool(_worker(tmp_path, "sys.exit(3)", monkeypatch), 1, lambda: None))


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), signal.SIGKILL)", "sys.exit(130)"])
def test_a_worker_that_was_ended_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """The work of one that was killed, or told to end, is recovered before a new one begins."""
    text = f"""
if not Path("recovered").exists():
    {end}
"""
    command = _worker(tmp_path, text, monkeypatch)
    _watch(WorkerPool(command, 1, Path("recovered").touch))
    assert len(_started()) == 2


def test_workers_that_die_again_and_again_end_the_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the fourth death the pool gives up and says what to do; each death was recovered."""
    command = _worker(tmp_path, "os.kill(os.getpid(), signal.SIGSEGV)", monkeypatch)
    recovered: list[int] = []
    with pytest.raises(WorkFailed, match=r"signal 11.*run the same command to resume"):
        _watch(WorkerPool(command, 1, lambda: recovered.append(1)))
    assert len(recovered) == len(_started()) == 4


def test_a_crew_that_is_left_stops_its_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leaving the block closes the workers' input and waits until they have ended."""
    command = _worker(tmp_path, "sys.stdin.read(); Path('ended').touch()", monkeypatch)

    def leave() -> None:
        with WorkerPool(command, 2, lambda: None):
            wait_for(lambda: len(_started()) == 2, "workers start")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        leave()
    assert Path("ended").exists()
    assert not any(is_alive(pid) for pid in _started())


def test_a_worker_that_does_not_stop_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that hangs does not keep the run from ending."""
    monkeypatch.setattr("search.workers.pool._SECONDS_TO_STOP", 0.2)
    command = _worker(tmp_path, "signal.pause()", monkeypatch)
    with WorkerPool(command, 1, lambda: None):
        wait_for(_started, "worker starts")
    assert not any(is_alive(pid) for pid in _started())


def test_a_terminals_interrupt_does_not_reach_the_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers have sessions of their own, so that Ctrl-C is the parent's to handle."""
    command = _worker(tmp_path, "sys.stdin.read()", monkeypatch)
    with WorkerPool(command, 1, lambda: None):
        wait_for(_started, "worker starts")
        assert os.getsid(_started()[0]) != os.getsid(0)


def test_workers_import_what_their_parent_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in the working directory that has the name of one of our packages changes nothing."""
    command = _worker(
        tmp_path, "import search; Path('is').write_text(search.__file__)", monkeypatch
    )
    Path("search.py").write_text("raise SystemExit(9)")
    _watch(WorkerPool(command, 1, lambda: None))
    assert Path(Path("is").read_text()) == ROOT / "search" / "__init__.py"


@pytest.mark.usefixtures("warm_workers")
def test_workers_that_are_forked_are_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What other tests use in their place has a process, input, signals, words and an exit code."""
    text = """
Path("session").write_text(f"{os.getsid(0)} {os.getpid()}")
if not Path("recovered").exists():
    os.kill(os.getpid(), signal.SIGKILL)
sys.stdin.read()
print("what went wrong", sys.argv[-1], file=sys.stderr)
sys.exit(2)
"""
    pool = WorkerPool(_worker(tmp_path, text, monkeypatch), 1, Path("recovered").touch)
    with pytest.raises(InputError, match=r"^what went wrong 0$"), pool:
        wait_for(lambda: pool.is_working() and len(_started()) == 2, "a new worker starts", 60)
        (member,) = pool._members
        assert member.process.stdin is not None
        member.process.stdin.close()
        _watch(pool)
    session, pid = Path("session").read_text().split()
    assert session == pid
    assert int(pid) in _started()
    assert not any(is_alive(each) for each in _started())


def test_cores_are_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker takes more threads than its share of the machine's cores, and each has one."""
    text = "Path(f'threads.{sys.argv[-1]}').write_text(os.environ['OMP_NUM_THREADS'])"
    command = _worker(tmp_path, text, monkeypatch)
    cores = len(os.sched_getaffinity(0))
    for workers in (1, cores + 1):
        _watch(WorkerPool(command, workers, lambda: None))
        threads = int(Path("threads.0").read_text())
        assert threads == max(1, cores // workers)

"""Small real studies on the digits, and the processes that work on them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import TypeVar

import pytest
from optuna.exceptions import ExperimentalWarning
from optuna.trial import FrozenTrial, TrialState
from rich.console import Console

from search.run.objective import Objective
from search.run.trials import make_objective, search
from search.spec.study_file import StudyFile
from search.study.study import StoredStudy, begin_study, open_study
from search.workers.context import WorkerContext
from search.workers.data import open_data
from search.workers.stop import StopSignal
from search.workers.worker_count import cores

Seen = TypeVar("Seen")

ROOT = Path(__file__).resolve().parents[2]

TEXT = """
[study]
name = "{name}"
dataset = "{dataset}"
trials = {trials}
sampler = "{sampler}"
pruner = "{pruner}"
seed = {seed}
{study}

[budget]
parameters = {parameters}

[space]
{space}

[recipe]
epochs = {epochs}
batch_size = {batch_size}
optimizer = "{optimizer}"
schedule = "none"
learning_rate = {learning_rate}
"""

STAGES = """
stages = [1, 2]
convs = { low = 1, high = 2 }
width = { low = 4, high = 24 }
kernel = 3
padding = "same"
"""

HARDLY_EVER_FITS = """
stages = 1
convs = 3
width = { low = 1, high = 64 }
kernel = 3
padding = "same"
"""
"""For a budget of some 200 parameters."""

DEFAULTS = {
    "name": "tiny",
    "dataset": "digits",
    "trials": 3,
    "sampler": "tpe",
    "pruner": "none",
    "seed": 1,
    "study": "floor_epochs = 1",
    "parameters": 1_500,
    "space": STAGES,
    "epochs": 2,
    "batch_size": 128,
    "optimizer": "adamw",
    "learning_rate": "{ low = 5e-3, high = 5e-2, log = true }",
}


def template(*lines: str, **fields: str) -> str:
    """A space of one skeleton."""
    quoted = ", ".join(f'"{line}"' for line in lines)
    return "\n".join([f"layers = [{quoted}]", *(f"{key} = {v}" for key, v in fields.items())])


SKELETON = template("conv3 {a} relu bn", "gap", "linear 10", a="{ low = 4, high = 8 }")
"""A space of few small networks, all of which fit."""


def write_study(folder: Path, **values: object) -> Path:
    """The path of a study file that differs from the defaults in these values."""
    path = folder / f"{values.get('name', DEFAULTS['name'])}.toml"
    path.write_text(TEXT.format(**{**DEFAULTS, **values}))
    return path


def url_in(folder: Path) -> str:
    """The storage that a command uses by default in this folder."""
    return f"sqlite:///{folder / 'studies' / 'study.db'}"


def begun(folder: Path, **values: object) -> StoredStudy:
    """A study that has just begun."""
    file = StudyFile.load(write_study(folder, **values))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return begin_study(file, url_in(folder), None, open_data(file, folder).info)


def reopened(folder: Path, name: str = "tiny") -> StoredStudy:
    """A study as somebody else sees it."""
    return open_study(name, url_in(folder), writing=False)


def worker_context(index: int = 0) -> WorkerContext:
    """A worker that takes one core, for tiny networks gain nothing from more."""
    return WorkerContext(index, cores(), "cpu", Path("data"))


def objective_of(stored: StoredStudy, stop: StopSignal | None = None) -> Objective:
    """The objective of a study on the CPU."""
    return make_objective(stored, worker_context(), stop or StopSignal())


def search_here(stored: StoredStudy, trials: int, *, index: int = 0) -> None:
    """Search in this process until so many trials are trained."""
    search(stored, worker_context(index), trials, StopSignal())


def weights_in(folder: Path) -> list[Path]:
    """The files of weights in a folder of artifacts, where pictures lie as well."""
    return [path for path in folder.iterdir() if not path.read_bytes().startswith(b"<svg")]


def states(stored: StoredStudy) -> list[TrialState]:
    """The state of each trial."""
    return [trial.state for trial in stored.study.get_trials(deepcopy=False)]


def quiet() -> Console:
    """A console that nobody sees."""
    return Console(file=StringIO())


def command(folder: Path, module: str, *arguments: str) -> subprocess.Popen[str]:
    """A started command whose working directory is ``folder``."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def flyweight(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """A started ``flyweight`` command."""
    return command(folder, "search.cli", *arguments)


def wait_for(condition: Callable[[], Seen], what: str, seconds: float = 300.0) -> Seen:
    """Waits until a condition holds and returns what it gave; fails where it never does."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.05)
    return value


def training(folder: Path, name: str = "tiny") -> list[FrozenTrial]:
    """The trials that are in the middle of their training."""
    if not (folder / "studies" / "study.db").exists():
        return []
    try:
        stored = reopened(folder, name)
    except Exception:  # the run is only just making the study
        return []
    running = stored.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    return [trial for trial in running if trial.intermediate_values]


def worker_of(trial: FrozenTrial) -> int:
    """The process number of a trial's worker."""
    return int(trial.user_attrs["worker"]["pid"])


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not waited for does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def kill_all(parent: subprocess.Popen[str]) -> None:
    """Kills a command and its workers so that none of them can do anything about it."""
    parent.send_signal(signal.SIGSTOP)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        # A process may end while this reads; what stands behind the name is state and parent.
        with suppress(FileNotFoundError, ProcessLookupError):
            _, parent_of_it = stat.read_text().rsplit(")", 1)[1].split()[:2]
            if int(parent_of_it) == parent.pid:
                os.kill(int(stat.parent.name), signal.SIGKILL)
    parent.kill()
    parent.communicate()

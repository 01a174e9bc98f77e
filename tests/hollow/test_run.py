"""``flyweight run`` from start to end, by worker processes on hollow devices."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from search.study.records import Outcome, TrialRecord
from tests.hollow import journal
from tests.hollow.journal import Record
from tests.hollow.trainings import Asked
from tests.search.small_studies import ROOT, SKELETON, reopened, write_study
from trainer.backends.choose import Backend

pytestmark = pytest.mark.hollow

TRIALS = 4
GRAPHS_OF_A_TRIAL = 2
GRAPH = {"trials": TRIALS, "space": SKELETON, "batch_size": 8, "epochs": 2}
"""Two epochs of 180 steps, so that trials take the graph."""


@dataclass(frozen=True)
class Run:
    """A finished command.

    Attributes:
        output: what it printed.
        trials: the trials of the study.
        workers: the journal of each process that used a device.
    """

    output: str
    trials: list[TrialRecord]
    workers: list[list[Record]]


def run(
    folder: Path, device: str, *, devices: int = 1, workers: int = 2, memory_mib: int = 80 << 10
) -> Run:
    """Run a small study of the digits on hollow devices."""
    study = write_study(folder, **GRAPH)
    journals = folder / "journals"
    journals.mkdir()
    environment = {
        **os.environ,
        "HOLLOW_DEVICES": str(devices),
        "HOLLOW_MEMORY_MIB": str(memory_mib),
        "HOLLOW_JOURNALS": str(journals),
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
    }
    command = [sys.executable, "-P", "-m", "flyweight", "run", str(study)]
    done = subprocess.run(
        [*command, "--workers", str(workers), "--device", device],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    written = [journal.read(path) for path in sorted(journals.iterdir())]
    return Run(done.stdout, reopened(folder).records(), written)


def test_two_workers_share_a_device(tmp_path: Path) -> None:
    """Two workers on one device train all trials over graphs and break no capture."""
    done = run(tmp_path, "cuda:0")
    assert [trial.outcome for trial in done.trials] == [Outcome.COMPLETE] * TRIALS
    assert {epoch.backend for trial in done.trials for epoch in trial.epochs} == {Backend.GRAPH}
    assert "cuda:0 (Hollow GPU): workers 0 and 1" in done.output
    assert len(done.workers) == 2
    asked = [Asked([records]) for records in done.workers]
    assert sum(len(each.graphs) for each in asked) == GRAPHS_OF_A_TRIAL * TRIALS
    assert all(each.violations == each.beside == [] for each in asked)


def test_two_workers_take_a_device_each(tmp_path: Path) -> None:
    """Where there are two devices, each worker has its own and takes no memory of the other."""
    done = run(tmp_path, "cuda", devices=2)
    assert [trial.outcome for trial in done.trials] == [Outcome.COMPLETE] * TRIALS
    assert sorted(contexts(records) for records in done.workers) == [[0], [1]]


def contexts(records: list[Record]) -> list[int]:
    """Return the devices of which a process took memory."""
    return [each.device for each in records if each.name == "context"]


TRAINS_ON_THE_SECOND_DEVICE = """
from tests.hollow.trainings import NORMALISATION, images, network
from trainer.backends.choose import Backend
from trainer.loop import train
from trainer.recipe import Recipe

device = "cuda:1"
recipe = Recipe(epochs=2, averaging=0.9)
trained = network("conv1 4 bn drop0.1\\nconv1 10\\ngap", device)
part, rest = images(300, device=device), images(20, device=device)
for epoch in train(trained, part, rest, NORMALISATION, recipe, Backend.GRAPH):
    assert epoch.backend is Backend.GRAPH
"""


def test_trainings_use_their_own_device_alone(tmp_path: Path) -> None:
    """A process that trains on the second device takes no memory of the first."""
    subprocess.run(
        [sys.executable, "-c", TRAINS_ON_THE_SECOND_DEVICE],
        cwd=ROOT,
        env={**os.environ, "HOLLOW_DEVICES": "2", "HOLLOW_JOURNALS": str(tmp_path)},
        check=True,
    )
    (written,) = tmp_path.iterdir()
    assert contexts(journal.read(written)) == [1]


def test_a_worker_goes_on_when_memory_ends(tmp_path: Path) -> None:
    """A trial for which the device has no room is recorded as such, and the study goes on."""
    done = run(tmp_path, "cuda:0", workers=1, memory_mib=24)
    assert [trial.outcome for trial in done.trials] == [Outcome.OUT_OF_MEMORY] * TRIALS
    assert all("ran out of memory" in trial.reason for trial in done.trials)
    (records,) = done.workers
    asked = Asked([records])
    assert asked.violations == asked.beside == []

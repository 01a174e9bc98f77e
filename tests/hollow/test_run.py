"""Studies on hollow devices: ``flyweight run`` from start to end, and a worker's search."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from search.run.trials import search
from search.study.records import Outcome
from search.workers.context import WorkerContext
from search.workers.stop import StopSignal
from tests.hollow import journal
from tests.hollow.journal import Record, Thing
from tests.hollow.trainings import Asked
from tests.search.small_studies import ROOT, SKELETON, begun, reopened, write_study
from trainer.backends.choose import Backend

pytestmark = pytest.mark.hollow

TRIALS = 4
GRAPHS_OF_A_TRIAL = 2
VALUES = {"trials": TRIALS, "space": SKELETON, "batch_size": 8, "epochs": 2}
"""Two epochs of 180 steps, so that trials take the graph."""


def test_three_workers_share_two_devices(tmp_path: Path) -> None:
    """``flyweight run`` trains all trials over graphs, each worker on one device alone."""
    study = write_study(tmp_path, **VALUES)
    journals = tmp_path / "journals"
    journals.mkdir()
    command = [sys.executable, "-P", "-m", "flyweight", "run", str(study)]
    done = subprocess.run(
        [*command, "--workers", "3", "--device", "cuda"],
        cwd=tmp_path,
        env={
            **os.environ,
            "HOLLOW_DEVICES": "2",
            "HOLLOW_JOURNALS": str(journals),
            "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert "cuda:0 (Hollow GPU): workers 0 and 2" in done.stdout
    assert "cuda:1 (Hollow GPU): worker 1" in done.stdout
    trials = reopened(tmp_path).records()
    assert [trial.outcome for trial in trials] == [Outcome.COMPLETE] * TRIALS
    assert {epoch.backend for trial in trials for epoch in trial.epochs} == {Backend.GRAPH}
    written = [journal.read(path) for path in journals.iterdir()]
    assert sorted(contexts(records) for records in written) == [[0], [0], [1]]
    asked = [Asked([records]) for records in written]
    assert sum(len(each.graphs) for each in asked) == GRAPHS_OF_A_TRIAL * TRIALS
    assert all(each.violations == each.beside == [] for each in asked)


def contexts(records: list[Record]) -> list[int]:
    """Return the devices of which a process took memory."""
    return [each.device for each in records if each.name == "context"]


TRAINS_ON_THE_SECOND_DEVICE = """
import os

from tests.hollow import journal
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
journal.write(os.environ["JOURNAL"])
# On a loaded machine torch aborts about one interpreter of 20 that ends right after a recording,
# which says nothing about devices.
os._exit(0)
"""


def test_trainings_use_their_own_device_alone(tmp_path: Path) -> None:
    """A process that trains on the second device takes no memory of the first."""
    written = tmp_path / "journal"
    subprocess.run(
        [sys.executable, "-c", TRAINS_ON_THE_SECOND_DEVICE],
        cwd=ROOT,
        env={**os.environ, "HOLLOW_DEVICES": "2", "JOURNAL": str(written)},
        check=True,
    )
    assert contexts(journal.read(written)) == [1]


def test_a_search_goes_on_when_memory_ended(tmp_path: Path) -> None:
    """A trial for which a device has no room is recorded as such, and the next one completes."""
    before = journal.living(Thing.EXECUTABLE)
    stored = begun(tmp_path, **VALUES)
    torch.cuda.empty_cache()
    everything = journal.memory_limit()
    journal.limit_memory(journal.used_memory() + (4 << 20))
    worker = WorkerContext(0, 1, "cuda:0", Path("data"))
    search(stored, worker, 1, StopSignal())
    journal.limit_memory(everything)
    search(stored, worker, 2, StopSignal())
    outcomes = [trial.outcome for trial in stored.records()]
    assert outcomes == [Outcome.OUT_OF_MEMORY, Outcome.COMPLETE]
    assert journal.living(Thing.EXECUTABLE) == before

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import optuna
import pytest
import torch
from optuna.artifacts import FileSystemArtifactStore, download_artifact, get_all_artifact_meta
from optuna.trial import TrialState
from safetensors.torch import load_file

from search.run.trials import search
from search.study.records import Outcome, TrialRecord
from search.study.seeds import training_seed
from search.study.study import StoredStudy
from search.workers.data import open_data, search_split
from search.workers.stop import Stopped, StopSignal
from space.network import build
from tests.search.small_studies import (
    ROOT,
    begun,
    reopened,
    search_here,
    template,
    url_in,
    worker_context,
)
from trainer.metrics import accuracy

CPU = torch.device("cpu")

ALWAYS_FITS = template("conv3 {a} relu", "gap", "linear 10", a="{ low = 4, high = 8 }")
LINEAR = template("conv3 16", "conv3 16", "gap", "linear 10")
VANISHING = """
stages = [1, 3]
convs = { low = 1, high = 2 }
width = { low = 4, high = 8 }
kernel = [3, 5]
padding = "valid"
"""


def _one(stored: StoredStudy) -> TrialRecord:
    search_here(stored, 1)
    return stored.records()[-1]


def test_every_trial_has_the_same_names_and_constraints(tmp_path: Path) -> None:
    """Rejected for its cost, rejected for its maps, pruned or complete: names and order agree."""
    stored = begun(tmp_path, space=VANISHING, parameters=900, pruner="halving", epochs=3, seed=3)
    search_here(stored, 10)
    trials = stored.study.get_trials(deepcopy=False)
    outcomes = {record.outcome for record in stored.records()}
    costs = [record.parameters for record in stored.records()]
    assert {Outcome.COMPLETE, Outcome.PRUNED, Outcome.REJECTED} <= outcomes
    assert None in costs
    assert len({tuple(trial.params) for trial in trials}) == 1
    assert {tuple(trial.constraints) for trial in trials} == {
        ("activation", "macs", "parameters", "shape")
    }
    assert {tuple(trial.distributions.items()) for trial in trials} == {
        tuple(trials[0].distributions.items())
    }


def test_a_rejected_trial_is_never_trained(tmp_path: Path) -> None:
    """Rejections are pruned trials with a cost, an excess and a reason, and nothing of training."""
    stored = begun(tmp_path, parameters=500)
    search_here(stored, 1)
    rejected = [
        (trial, record)
        for trial, record in zip(stored.study.get_trials(), stored.records(), strict=True)
        if record.outcome is Outcome.REJECTED
    ]
    assert len(rejected) > 1
    for trial, record in rejected:
        assert trial.state is TrialState.PRUNED
        assert trial.constraints["parameters"] > 0
        assert record.parameters is not None
        assert record.parameters > 500
        assert f"{record.parameters:,} parameters" in record.reason
        assert trial.intermediate_values == {}
        assert trial.values is None
        assert not {"epochs", "device", "seconds"} & trial.user_attrs.keys()


def test_the_best_trial_fits(tmp_path: Path) -> None:
    """Whatever was rejected, the best trial by Optuna's own rule keeps to the budget."""
    stored = begun(tmp_path, parameters=700)
    search_here(stored, 3)
    best = stored.study.best_trial
    assert best.state is TrialState.COMPLETE
    assert best.user_attrs["cost"]["parameters"] <= 700
    assert all(excess <= 0 for excess in best.constraints.values())


def test_a_complete_trial_keeps_all_that_its_figures_need(tmp_path: Path) -> None:
    """Candidate, cost, epochs, seconds, hardware, versions and worker are kept with the score."""
    stored = begun(tmp_path, space=ALWAYS_FITS, epochs=3)
    record = _one(stored)
    assert record.outcome is Outcome.COMPLETE
    assert [epoch.number for epoch in record.epochs] == [0, 1, 2]
    assert record.score == record.floor(stored.file.settings.floor_epochs)
    assert record.recipe["seed"] == training_seed(1, 0)
    assert record.seconds > 0
    assert {"device", "versions", "worker", "slot", "inactive"} <= record.attributes.keys()
    frozen = stored.study.get_trials()[0]
    assert frozen.intermediate_values == {epoch.number: epoch.accuracy for epoch in record.epochs}


def test_the_page_names_every_attribute(tmp_path: Path) -> None:
    """What a trial stores stands in the table of attributes, and Optuna alone reads it."""
    stored = begun(tmp_path, space=VANISHING, parameters=900, pruner="halving", epochs=3, seed=3)
    search_here(stored, 10)
    page = (ROOT / "docs" / "seeing.md").read_text("utf-8")
    named = set(re.findall(r"`([a-z0-9_]+)`", page))
    plain = optuna.load_study(study_name=stored.name, storage=stored.url)
    kept = {key for trial in plain.get_trials() for key in trial.user_attrs}
    assert {"outcome", "architecture", "epochs", "cost"} <= kept <= named
    outcomes = re.search(r"\| `outcome` \|(.*)\|", page)
    assert outcomes is not None
    assert set(re.findall(r"`([a-z-]+)`", outcomes[1])) == set(Outcome)


def test_the_kept_weights_give_the_last_epochs_accuracy(tmp_path: Path) -> None:
    """The artifact of a complete trial, loaded into its architecture, scores as was recorded."""
    stored = begun(tmp_path, space=ALWAYS_FITS)
    record = _one(stored)
    frozen = stored.study.get_trials()[0]
    metas = get_all_artifact_meta(frozen, storage=stored.storage)
    (meta,) = [meta for meta in metas if meta.filename == "weights.safetensors"]
    path = tmp_path / "weights.safetensors"
    download_artifact(
        artifact_store=FileSystemArtifactStore(stored.artifacts),
        artifact_id=meta.artifact_id,
        file_path=str(path),
    )
    network = build(record.candidate((1, 8, 8)).architecture)
    network.load_state_dict(load_file(path))
    data = search_split(open_data(stored.file, tmp_path), CPU)
    found = accuracy(network, data.evaluation, data.normalisation)
    assert found == record.epochs[-1].accuracy


def test_a_diverged_trial_is_an_outcome(tmp_path: Path) -> None:
    """A candidate whose loss blows up is a pruned trial of accuracy 0, and counts as trained."""
    stored = begun(tmp_path, space=LINEAR, optimizer="sgd", learning_rate=100.0, parameters=9_000)
    record = _one(stored)
    frozen = stored.study.get_trials()[0]
    assert record.outcome is Outcome.DIVERGED
    assert "no longer finite" in record.reason
    assert record.trained
    assert record.score is None
    assert frozen.state is TrialState.PRUNED
    assert frozen.value == 0.0


@pytest.mark.parametrize(
    "lines",
    [("conv1 65536", "conv1 65536", "gap", "linear 10"), ("conv3 65536", "gap", "linear 10")],
    ids=["weights", "maps"],
)
def test_out_of_memory_is_an_outcome(tmp_path: Path, lines: tuple[str, ...]) -> None:
    """A candidate too large to build, or to train, is a recorded outcome and a pruned trial."""
    begun(tmp_path, space=template(*lines), parameters=10**12, batch_size=1198, trials=1)
    limit = 10 * 2**30
    worker = subprocess.run(
        [sys.executable, "-m", "search.worker", "--study", "tiny", "--storage", url_in(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        check=False,
    )
    assert worker.returncode == 0
    (record,) = reopened(tmp_path).records()
    assert record.outcome is Outcome.OUT_OF_MEMORY
    assert "ran out of memory" in record.reason
    assert record.trained
    assert reopened(tmp_path).study.get_trials()[0].state is TrialState.PRUNED


def test_a_pruned_trial_stops_early(tmp_path: Path) -> None:
    """A trial that the pruner ends keeps the epochs that it had, no weights and no score."""
    stored = begun(tmp_path, space=ALWAYS_FITS, pruner="halving", epochs=9, trials=8)
    search_here(stored, 8)
    pruned = [record for record in stored.records() if record.outcome is Outcome.PRUNED]
    assert pruned
    for record in pruned:
        assert 0 < len(record.epochs) < 9
        assert record.score is None
        assert record.trained
        frozen = stored.study.get_trials()[record.number]
        assert get_all_artifact_meta(frozen, storage=stored.storage) == []


def test_a_stopped_trial_goes_back_into_the_queue(tmp_path: Path) -> None:
    """A worker that is asked to stop in mid-training ends its trial and queues it again."""
    stored = begun(tmp_path, space=ALWAYS_FITS, epochs=5)

    class StopsAtReport(StopSignal):
        def __bool__(self) -> bool:
            trials = stored.study.get_trials(deepcopy=False)
            return any(trial.intermediate_values for trial in trials)

        def interruptible(self):  # type: ignore[no-untyped-def]
            if self:
                raise Stopped
            return super().interruptible()

    search(stored, worker_context(), 1, StopsAtReport())
    stopped, queued = stored.study.get_trials(deepcopy=False)
    assert stopped.state is TrialState.FAIL
    assert stored.records()[0].outcome is Outcome.INTERRUPTED
    assert stored.records()[0].reason == "stopped"
    assert queued.state is TrialState.WAITING
    search_here(stored, 1)
    assert stored.study.get_trials()[1].params == stopped.params
    assert [record.trained for record in stored.records()] == [False, True]

from __future__ import annotations

import time
from pathlib import Path

import pytest

import search.run.trials
from search.errors import ResumeError, WorkFailed
from search.run.objective import Objective, TrialResult
from search.run.trials import search as search_trials
from search.strategies.pruners import PRUNERS
from search.strategies.samplers import SAMPLERS
from search.study.records import Outcome
from search.study.study import trial_claims
from search.workers.stop import StopSignal
from tests.search.small_studies import (
    HARDLY_EVER_FITS,
    begun,
    objective_of,
    reopened,
    search_here,
    template,
    worker_context,
)

MANY_PARAMETERS = """
stages = [1, 2, 3]
convs = { low = 1, high = 3 }
width = { low = 4, high = 32 }
kernel = [3, 5]
padding = "same"
skip = [false, true]
dropout = { low = 0.0, high = 0.1 }
order = ["conv-bn-relu", "conv-relu-bn"]
head = ["gap-conv", "gap-linear"]
"""


def test_suggestions_differ_between_workers_and_after_a_resume(tmp_path: Path) -> None:
    """No worker, and no worker that begins again, repeats what another has suggested."""
    stored = begun(tmp_path, parameters=100_000, epochs=1, sampler="random")
    for trials, index in ((2, 0), (4, 0), (6, 1)):
        search_here(stored, trials, index=index)
    drawn = [tuple(trial.params.values()) for trial in stored.study.get_trials()]
    assert len(drawn) == len(set(drawn)) == 6
    seeds = {record.recipe["seed"] for record in stored.records()}
    assert len(seeds) == 6


def test_the_same_figures_twice(tmp_path: Path) -> None:
    """One uninterrupted worker finds the same candidates and accuracies in a new database."""
    found = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        stored = begun(folder, pruner="halving", epochs=3, parameters=2_000)
        search_here(stored, 14)
        found.append(
            [
                (r.outcome, r.architecture, r.recipe, r.score, [e.accuracy for e in r.epochs])
                for r in stored.records()
            ]
        )
    assert found[0] == found[1]


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("pruner", PRUNERS)
def test_every_sampler_works_with_every_pruner(tmp_path: Path, sampler: str, pruner: str) -> None:
    """Whatever a study file names searches, past the trials that are drawn at random."""
    stored = begun(tmp_path, sampler=sampler, pruner=pruner, parameters=1_000, epochs=2)
    search_here(stored, 11)
    assert sum(record.trained for record in stored.records()) == 11


def test_rejections_are_not_counted(tmp_path: Path) -> None:
    """Just as many trials are trained as were asked for, however many had to be rejected."""
    stored = begun(tmp_path, parameters=600, epochs=1)
    search_here(stored, 4)
    records = stored.records()
    assert sum(record.trained for record in records) == 4
    assert sum(record.outcome is Outcome.REJECTED for record in records) >= 4
    assert len({r.attributes["slot"] for r in records if r.trained}) == 4


def test_rejections_without_end_stop_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After so many rejections in a row the search ends and tells the smallest it has seen."""
    monkeypatch.setattr(search.run.trials, "REJECTION_LIMIT", 15)
    stored = begun(tmp_path, space=HARDLY_EVER_FITS, parameters=200)
    with pytest.raises(WorkFailed) as caught:
        search_here(stored, 1)
    smallest = min(record.parameters or 0 for record in stored.records())
    assert "15 candidates in a row" in str(caught.value)
    assert f"{smallest:,} parameters (budget 200)" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(stored.records()) == 15
    assert trial_claims(stored).take(1) == 0


def test_a_rejection_costs_less_than_a_tenth_of_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawing, judging and recording 30 parameters takes less than 0.1 s of processor time."""
    monkeypatch.setattr(search.run.trials, "REJECTION_LIMIT", 25)
    monkeypatch.setattr(Objective, "_train", lambda *_: TrialResult(Outcome.REJECTED))
    stored = begun(tmp_path, space=MANY_PARAMETERS, parameters=300)
    objective_of(stored)
    started = time.process_time()
    with pytest.raises(WorkFailed):
        search_here(stored, 1)
    seconds = time.process_time() - started
    assert len(stored.study.get_trials()[0].params) >= 30
    assert seconds / 25 < 0.1


def test_other_data_than_the_studys_is_refused(tmp_path: Path) -> None:
    """A worker whose data set has other images than the study began with does not train."""
    stored = begun(tmp_path)
    changed = dict(stored.study.user_attrs["flyweight"])
    changed["data"] = {**changed["data"], "fingerprint": "other"}
    stored.study.set_user_attr("flyweight", changed)
    with pytest.raises(ResumeError, match="images"):
        search_here(reopened(tmp_path), 1)


def test_an_error_in_a_trial_ends_the_worker_and_queues_the_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake of ours is not swallowed: the trial tells it, and its slot is free again."""

    def fails(*_: object) -> TrialResult:
        raise ZeroDivisionError("a mistake")

    monkeypatch.setattr(Objective, "_train", fails)
    stored = begun(tmp_path, parameters=100_000)
    with pytest.raises(ZeroDivisionError):
        search_here(stored, 1)
    assert stored.records()[0].reason == "ZeroDivisionError: a mistake"
    assert stored.records()[0].outcome is Outcome.INTERRUPTED
    assert trial_claims(stored).take(1) == 0


def test_a_worker_that_was_stopped_takes_nothing(tmp_path: Path) -> None:
    """A worker that is asked to stop before it begins asks for no trial."""
    stored = begun(tmp_path, space=template("conv3 8 relu", "gap", "linear 10"))
    stop = StopSignal()
    stop._asked = True
    search_trials(stored, worker_context(), 1, stop)
    assert stored.study.get_trials() == []
    assert trial_claims(stored).take(1) == 0

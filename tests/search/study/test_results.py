from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from search.errors import StorageError
from search.study import Study, StudyTrial
from search.study.study import open_study
from space.cost import cost
from tests.search.shown_studies import SMALL, WIDE, add_trial, new_study
from tests.search.small_studies import ROOT, url_in
from trainer.recipe import Recipe

BEFORE = ROOT / "tests" / "search" / "fixtures" / "version-0.1.0"
"""A study of 11 trials with a finished confirm."""


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """That study, in a copy."""
    shutil.copytree(BEFORE, tmp_path / "studies")
    return Study.open("moved", storage=url_in(tmp_path))


def test_a_study_is_opened_by_its_file_or_its_name(study: Study, tmp_path: Path) -> None:
    """Both lead to the same study, and a name that is not in the database is refused."""
    file = tmp_path / "studies" / "moved.toml"
    other = Study.open(file, storage=url_in(tmp_path))
    assert (other.name, other.trials) == (study.name, study.trials)
    assert other.file.to_dict()["budget"] == {"parameters": 1200}
    assert "moved" in repr(study)
    with pytest.raises(StorageError, match="it has: moved"):
        Study.open("none", storage=url_in(tmp_path))


def test_trials_are_what_was_kept(study: Study, tmp_path: Path) -> None:
    """Each trial has its candidate, the cost of that, its figures and what it drew and used."""
    records = open_study("moved", url_in(tmp_path), writing=False).records()
    assert len(study.trials) == len(records) == 11
    for trial, record in zip(study.trials, records, strict=True):
        assert (trial.number, trial.outcome) == (record.number, record.outcome)
        assert (trial.score, trial.epochs) == (record.score, record.epochs)
        assert trial.architecture is not None
        assert trial.recipe is not None
        assert str(trial.architecture) == record.architecture
        assert trial.cost == cost(trial.architecture)
        # Keys that came later have their defaults.
        assert trial.recipe.to_dict() == {**Recipe().to_dict(), **record.recipe}
        used = trial.params["stages"]
        assert ("stage2.convs" in trial.params) == (used == 2)


def test_the_best_trial_is_the_highest_complete_one(study: Study) -> None:
    """No complete trial has a higher score."""
    assert study.best is not None
    assert study.best in study.trials
    assert study.best.score == max(t.score for t in study.trials if t.score is not None)


def test_confirms_are_read(study: Study) -> None:
    """Each confirm comes with all that was repeated."""
    (confirm,) = study.confirms
    assert confirm.finished
    assert (confirm.plan.ordinal, len(confirm.final)) == (1, 2)


def test_a_table_has_a_row_for_each_trial(study: Study) -> None:
    """Drawn parameters and costs are columns; what a trial does not use or have is missing."""
    frame = study.frame()
    assert list(frame["number"]) == [trial.number for trial in study.trials]
    for trial, (_, row) in zip(study.trials, frame.iterrows(), strict=True):
        shown = row.dropna().to_dict()
        params = {key[7:]: shown[key] for key in shown if key.startswith("params_")}
        assert params == dict(trial.params)
        assert trial.cost is not None
        assert shown["cost_parameters"] == trial.cost.parameters
        assert shown["cost_activation_kib"] == trial.cost.activation_kib
        assert shown.get("score") == trial.score
        assert shown.get("rank_score") == trial.rank_score
        assert shown["fold"] == trial.fold
        assert shown["outcome"] == trial.outcome
        assert shown["epochs"] == len(trial.epochs)


def test_reading_changes_nothing(study: Study, tmp_path: Path) -> None:
    """The database is the same to the last value after everything was read."""

    def dump() -> list[str]:
        with sqlite3.connect(tmp_path / "studies" / "study.db") as connection:
            return list(connection.iterdump())

    before = dump()
    assert study.trials
    assert study.confirms
    assert not study.frame().empty
    assert dump() == before


def test_a_study_is_followed_while_it_runs(tmp_path: Path) -> None:
    """What others add is seen at the next look; a study without trials has an empty table."""
    stored = new_study(tmp_path)
    study = Study.open(stored.name, storage=stored.url)
    assert (study.trials, study.best, study.confirms) == ((), None, ())
    assert study.frame().empty
    assert "number" in study.frame()
    add_trial(stored, WIDE, None)
    assert study.best is None
    add_trial(stored, SMALL, 0.9)
    waiting = stored.study.ask()
    rejected, complete, running = study.trials
    assert isinstance(complete, StudyTrial)
    assert (rejected.score, rejected.outcome, complete.score) == (None, "rejected", 0.9)
    assert (running.number, running.outcome, running.cost) == (waiting.number, None, None)
    assert study.best == complete
    assert len(study.frame()) == 3


def test_pandas_is_loaded_for_a_table_alone() -> None:
    """Reading a study does not wait for pandas to be imported."""
    code = "import sys, search.study; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0

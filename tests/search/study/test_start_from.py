"""Studies that start from hand-made and from exported candidates."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from search.cli.app import main
from search.errors import ResumeError
from search.export.package import PACKAGE_FORMAT
from search.spec.study_file import StudyFile
from search.storage.claims import Claims
from search.study.recovery import requeue
from search.study.start_from import START_ATTRIBUTE, find_starts
from search.study.study import StoredStudy
from space.architecture import Architecture
from tests.search.small_studies import (
    ROOT,
    begun,
    reopened,
    search_here,
    states,
    template,
    write_study,
)
from trainer.recipe import Recipe

LADDER = """
[ladder]
name = "small"
dataset = "digits"
title = "Small"
source = "https://example.org"
goal = 0.9
parameters = 1_000
floor_epochs = 1
"""
STEP = """
[[step]]
name = "{name}"
target = "Learn."
layers = {layers}
recipe = {{ epochs = 7, optimizer = "sgd", learning_rate = {rate} }}
reported = {{ parameters = {parameters}, best_test = 90.0 }}
"""
WIDE = ["conv3 8 pad1 bn relu", "conv3 6 pad1 bn relu", "gap", "conv1 10"]
DEEP = ["conv3 4 pad1 bn relu", "maxpool2", "conv3 5 pad1 bn relu", "gap", "conv1 10"]
SMALL = ["conv3 4 pad1 bn relu", "gap", "conv1 10"]
SHAPE = (1, 8, 8)


def _write_candidates(folder: Path) -> None:
    """A ladder of two steps and an exported network."""
    steps = STEP.format(name="wide", layers=WIDE, rate=0.02, parameters=592)
    steps += STEP.format(name="deep", layers=DEEP, rate=0.03, parameters=284)
    (folder / "ladders").mkdir()
    (folder / "ladders" / "small.toml").write_text(LADDER + steps)
    exported = {
        "format": PACKAGE_FORMAT,
        "architecture": Architecture.parse(SMALL, SHAPE).to_json(),
        "recipe": Recipe(learning_rate=0.04).to_dict(),
    }
    (folder / "champion").mkdir()
    (folder / "champion" / "architecture.json").write_text(json.dumps(exported))


def _seed_line(*entries: str) -> str:
    """What begins a study from these, in the place of its seed."""
    return f"1\nstart_from = {json.dumps(entries)}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with candidates."""
    _write_candidates(tmp_path)
    return tmp_path


ENTRIES = ("ladders/small.toml#deep", "champion", "ladders/small.toml")


def _queued(stored: StoredStudy) -> list[str]:
    trials = stored.study.get_trials(deepcopy=False)
    return [trial.user_attrs[START_ATTRIBUTE] for trial in trials]


def test_a_study_tries_them_first(folder: Path) -> None:
    """The first trials are the candidates in their order, each once, and the count is exact."""
    stored = begun(folder, seed=_seed_line(*ENTRIES))
    names = ["ladders/small.toml#deep", "champion", "ladders/small.toml#wide"]
    assert _queued(stored) == names
    search_here(stored, 4)
    records = stored.records()
    assert sum(record.trained for record in records) == 4
    for record, lines, rate, name in zip(
        records, (DEEP, SMALL, WIDE), (0.03, 0.04, 0.02), names, strict=False
    ):
        candidate = record.candidate(SHAPE)
        assert candidate.architecture == Architecture.parse(lines, SHAPE)
        assert candidate.recipe.learning_rate == rate
        assert (candidate.recipe.epochs, candidate.recipe.optimizer) == (2, "adamw")
        assert record.attributes[START_ATTRIBUTE] == name
    trials = stored.study.get_trials(deepcopy=False)
    assert len({tuple(trial.distributions.items()) for trial in trials}) == 1
    assert START_ATTRIBUTE not in trials[-1].user_attrs


def test_a_study_goes_on_where_they_are_not(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Resuming queues nothing again and needs no ladder; other entries are a difference."""
    seed = _seed_line(*ENTRIES)
    begun(folder, seed=seed)
    (folder / "ladders" / "small.toml").unlink()
    assert len(states(begun(folder, seed=seed))) == 3
    assert len(states(begun(folder, seed=seed, trials=9))) == 3
    with pytest.raises(ResumeError, match=r"study\.start_from: was"):
        begun(folder, seed=_seed_line("champion"))


@pytest.mark.parametrize("queued", [False, True])
def test_a_killed_beginning_is_finished(
    folder: Path, monkeypatch: pytest.MonkeyPatch, queued: bool
) -> None:
    """Whoever dies between making a study and queueing the candidates, each is queued once."""
    monkeypatch.setattr("search.study.study.enqueue_starts", lambda *_: None)
    stored = begun(folder, seed=_seed_line(*ENTRIES))
    monkeypatch.undo()

    def die() -> None:
        own = reopened(folder)
        Claims(own.storage.engine, own.id, "start").take(3)
        if queued:
            start = own.starts[0]
            own.study.enqueue_trial(dict(start.answers), user_attrs={START_ATTRIBUTE: start.name})
        os.kill(os.getpid(), 9)

    process = multiprocessing.get_context("fork").Process(target=die)
    process.start()
    process.join()
    assert len(states(stored)) == queued
    again = begun(folder, seed=_seed_line(*ENTRIES))
    assert _queued(again) == [start.name for start in stored.starts]


def test_an_interrupted_one_keeps_its_name(folder: Path) -> None:
    """A trial that is queued again says where its candidate is from."""
    stored = begun(folder, seed=_seed_line("champion"))
    trial = stored.study.ask()
    assert requeue(stored.study, stored.storage, stored.study.trials[trial.number], "stopped")
    assert _queued(stored) == ["champion", "champion"]
    assert states(stored) == [TrialState.FAIL, TrialState.WAITING]
    assert stored.study.trials[1].user_attrs["continues"] == 0
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    search_here(stored, 1)
    assert (
        stored.records()[1].candidate(SHAPE).architecture.layers[0]
        == (Architecture.parse(SMALL, SHAPE).layers[0])
    )


FIXED = template("conv3 {a} pad1 bn relu", "gap", "conv1 10", a="[6, 8]")
OUTSIDE: list[tuple[str, dict[str, object], list[str]]] = [
    ("ladders/none.toml", {}, ["ladders/none.toml"]),
    ("ladders/small.toml#wid", {}, ["wid", 'did you mean "wide"', "wide, deep"]),
    ("nowhere", {}, ["nor an exported network"]),
    ("ladders", {}, ["nor an exported network"]),
    ("champion", {"space": FIXED}, ['line 1 "conv3 4 pad1 bn relu"', "a is 6 or 8", "widen"]),
    ("ladders/small.toml#wide", {"parameters": 500}, ["592 parameters", "raise", "remove"]),
    ("champion", {"learning_rate": "[0.01, 0.02]"}, ["learning_rate", "0.04", "0.01 or 0.02"]),
    ("ladders/small.toml", {"learning_rate": "[0.02, 0.05]"}, ["#deep", "0.03", "#STEP"]),
]


@pytest.mark.parametrize(("entry", "values", "words"), OUTSIDE)
def test_what_cannot_be_started_from_is_refused(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    entry: str,
    values: dict[str, object],
    words: list[str],
) -> None:
    """One line names the entry, what lies outside and the way out; nothing is begun.

    ``validate`` says the same.
    """
    monkeypatch.chdir(folder)
    path = write_study(folder, seed=_seed_line(entry), **values)
    assert main(["run", str(path)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"{path.name}: study.start_from: " in said
    assert entry in said
    assert [word for word in words if word not in said] == []
    assert main(["validate", str(path)]) == 2
    assert capsys.readouterr().err == said
    assert not (folder / "studies").exists()


def test_mnist_can_start_from_the_committed_candidates() -> None:
    """A study beside the shipped ones can start from a ladder's step and from the champion."""
    study = StudyFile.load(ROOT / "studies" / "mnist-8k.toml")
    entries = ("ladders/eva5-namanphy.toml#batch-norm", "champions/mnist_8k")
    settings = dataclasses.replace(study.settings, start_from=entries)
    space = {
        "stages": [2, 3],
        "convs": {"low": 1, "high": 3},
        "width": {"low": 4, "high": 32},
        "kernel": [3, 5],
        "order": ["conv-bn-relu", "conv-relu-bn"],
        "head": ["conv-gap", "gap-conv"],
    }
    recipe = {"learning_rate": {"low": 3e-3, "high": 5e-2, "log": True}}
    file = dataclasses.replace(study, settings=settings, space=space, recipe=recipe)
    starts = find_starts(file, (1, 28, 28), 10)
    assert [start.name for start in starts] == list(entries)
    assert starts[0].answers["stages"] == 3
    assert starts[1].answers["order"] == "conv-relu-bn"

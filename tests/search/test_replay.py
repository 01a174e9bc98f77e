"""Trials that are trained once more."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from search.cli.app import main
from search.errors import TrialError
from search.replay import TrialReplay, replay, replay_text
from search.storage.database import quiet_optuna
from search.study.records import Outcome
from search.study.study import open_study
from tests.search.small_studies import STAGES, begun, quiet, search_here, template, url_in


@pytest.fixture(scope="module")
def _trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study of a complete trial, and one that was rejected."""
    quiet_optuna()
    folder = tmp_path_factory.mktemp("replayed")
    stored = begun(folder, space=STAGES, epochs=2, sampler="random", parameters=900, seed=3)
    search_here(stored, 2)
    stored.storage.engine.dispose()
    return folder


@pytest.fixture
def url(_trained: Path, tmp_path: Path) -> str:
    """The storage of a copy of that folder."""
    shutil.copytree(_trained, tmp_path, dirs_exist_ok=True)
    return url_in(tmp_path)


def _number(url: str, *, trained: bool) -> int:
    records = open_study("tiny", url, writing=False).records()
    return next(record.number for record in records if record.trained is trained)


def _replayed(url: str, trial: int) -> TrialReplay:
    return replay("tiny", trial, storage=url, device="cpu", console=quiet())


def _change(url: str, trial: int, change: Mapping[str, Any], *without: str) -> None:
    """Let a study have a trial once more that differs in some attributes."""
    stored = open_study("tiny", url, writing=True)
    frozen = stored.study.get_trials()[trial]
    for key, value in change.items():
        frozen.set_user_attr(key, value)
    frozen.user_attrs = {k: v for k, v in frozen.user_attrs.items() if k not in without}
    stored.study.add_trial(frozen)


def _last(url: str) -> int:
    return len(open_study("tiny", url, writing=False).records()) - 1


def test_a_trial_is_the_same_bit_for_bit(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The figures and weights of a trial are those that it had, and the threads are put back."""
    number, threads = _number(url, trained=True), torch.get_num_threads()
    result = _replayed(url, number)
    assert result.same
    assert result.same_weights
    assert len(result.before) == len(result.now) == 2
    assert (result.differences, result.unknown) == ({}, ())
    assert {"torch", "device", "path", "precision", "kernels", "threads"} <= set(result.conditions)
    assert torch.get_num_threads() == threads
    arguments = ["replay", "tiny", "--trial", str(number), "--device", "cpu", "--storage", url]
    assert main(arguments) == 0
    assert "the same to the last bit, its weights too" in capsys.readouterr().out


def test_the_last_bit_counts_and_what_differs_is_named(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One bit of one loss is found, with the conditions that are other than they were."""
    number = _number(url, trained=True)
    kept = open_study("tiny", url, writing=False).records()[number].attributes
    epochs = [dict(epoch) for epoch in kept["epochs"]]
    epochs[1]["loss"] += epochs[1]["loss"] * 2**-52
    assert epochs[1]["loss"] != kept["epochs"][1]["loss"]
    versions = {**kept["versions"], "torch": "1.0"}
    _change(url, number, {"epochs": epochs, "versions": versions, "kernels": "others"}, "precision")
    result = _replayed(url, _last(url))
    assert (result.same, result.first_difference) == (False, 1)
    assert set(result.differences) == {"torch", "kernels"}
    assert result.unknown == ("precision",)
    arguments = ["replay", "tiny", "--trial", str(_last(url)), "--device", "cpu", "--storage", url]
    assert main(arguments) == 1
    words = capsys.readouterr().out
    assert "differ from epoch 2 of 2 on" in words
    assert f"torch: was 1.0, now {torch.__version__}" in words


def test_other_weights_are_found(url: str) -> None:
    """Weights with another checksum are another result, even where all figures agree."""
    number = _number(url, trained=True)
    _change(url, number, {"weights_sha256": "0" * 64})
    result = _replayed(url, _last(url))
    assert (result.same, result.same_weights, result.first_difference) == (False, False, None)
    assert "the weights differ" in replay_text(result)


def test_a_pruned_trial_is_trained_as_far_as_it_came(url: str) -> None:
    """Of a trial that was stopped after one epoch one epoch is trained."""
    number = _number(url, trained=True)
    kept = open_study("tiny", url, writing=False).records()[number].attributes
    _change(url, number, {"epochs": kept["epochs"][:1], "outcome": "pruned"})
    result = _replayed(url, _last(url))
    assert result.same
    assert (len(result.now), result.same_weights) == (1, None)


def test_a_diverged_trial_diverges_again(tmp_path: Path) -> None:
    """A trial whose loss blew up is trained until it does so again, at the same step."""
    quiet_optuna()
    space = template("conv3 16", "conv3 16", "gap", "linear 10")
    stored = begun(tmp_path, space=space, optimizer="sgd", learning_rate=100.0, parameters=9_000)
    search_here(stored, 1)
    (record,) = stored.records()
    assert record.outcome is Outcome.DIVERGED
    result = _replayed(stored.url, 0)
    assert result.failures == (record.reason, record.reason)
    assert result.same


def test_a_trial_uses_the_threads_that_it_had(url: str) -> None:
    """A trial of three threads is trained with three, whatever this process uses."""
    number = _number(url, trained=True)
    _change(url, number, {"threads": 3})
    assert _replayed(url, _last(url)).conditions["threads"] == ("3", "3")


def test_what_was_not_trained_is_refused(url: str) -> None:
    """A rejected trial, and one that is not there, cannot be replayed."""
    rejected = _number(url, trained=False)
    for number, words in ((rejected, "is rejected"), (99, "has no trial 99")):
        with pytest.raises(TrialError, match=words):
            _replayed(url, number)

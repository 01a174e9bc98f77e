from __future__ import annotations

from dataclasses import replace

import pytest

from search.cli.summary import run_summary
from search.run.command import RunResult
from search.strategies.model.posterior import Estimate
from search.study.candidates import Leader
from tests.search.run.test_progress import COMPLETE

RESULT = RunResult(
    name="tiny",
    trained=5,
    total=5,
    rejected=12,
    new=3,
    trials_an_hour=176.5,
    rejections="parameters 100 %",
    advice="",
    best=replace(COMPLETE, architecture="conv3 8 relu\ngap\nlinear 10"),
    leader=None,
    target=0.98,
    seconds=61.2,
)


def test_a_run_ends_with_its_best_and_what_is_next() -> None:
    """Counts, the best trial with its layers, the target and the next command are told."""
    lines = run_summary(RESULT, "tiny.toml").splitlines()
    assert lines == [
        "tiny: 5 trained, 12 rejected",
        "this run: 3 trials trained in 61 s, 176 trials an hour",
        "rejected by parameters 100 %",
        "best: trial 7, 1,234 parameters, validation floor 98.77 %",
        "    conv3 8 relu",
        "    gap",
        "    linear 10",
        "target 98.00 %: reached on validation",
        "next: flyweight confirm tiny.toml",
    ]


@pytest.mark.parametrize(("target", "words"), [(0.99, "not reached"), (0.98765, ": reached")])
def test_the_target_is_reached_or_not(target: float, words: str) -> None:
    """A score that equals the target has reached it."""
    assert words in run_summary(replace(RESULT, target=target), "tiny.toml")


def test_a_run_that_was_cut_short_says_what_is_left() -> None:
    """Without a completed trial there is no best, and the trials to go are counted."""
    result = replace(RESULT, best=None, trained=1, trials_an_hour=None, advice="raise it")
    words = run_summary(result, "tiny.toml")
    assert "this run" not in words
    assert "raise it" in words
    assert "no trial has completed" in words
    assert words.endswith("4 trials to go: run the same command to resume")


def test_a_run_without_a_score_names_no_confirm() -> None:
    """Where all trials failed there is nothing to confirm, and the reasons are pointed at."""
    words = run_summary(replace(RESULT, best=None), "tiny.toml")
    assert "confirm" not in words
    assert words.endswith("change the study or give more --trials")


def test_the_candidate_that_confirm_takes_first_is_told() -> None:
    """What is expected of it stands beside the lucky best, with the number of its trainings."""
    leader = Leader(replace(COMPLETE, number=7), Estimate(0.9871, 0.0004, 6))
    text = run_summary(replace(RESULT, leader=leader), "tiny.toml")
    assert "expected best: trial 7, score 98.71 % ± 0.04, trained 6 times" in text.splitlines()

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.trial import Trial, TrialState, create_trial

from search.spec.budget import assess
from search.spec.candidate import Candidate
from search.study.records import (
    Outcome,
    TrialRecord,
    best_of,
    record_candidate,
    records_of,
    trained_outcomes,
)
from search.study.study import StoredStudy
from space.architecture import Architecture
from space.deployed.cost import deployed_cost
from space.deployed.flash import CORES
from tests.search.small_studies import begun
from trainer.loop import Epoch
from trainer.recipe import Recipe

SMALL = Architecture.parse("conv3 8 relu bn\ngap\nlinear 10", input_shape=(1, 8, 8))
NO_CANDIDATE = TrialRecord.of(create_trial(value=0.0))


def _asked(stored: StoredStudy, recipe: Recipe) -> Trial:
    trial = stored.study.ask()
    budget = stored.file.budget
    record_candidate(
        trial, Candidate(SMALL, recipe), assess(SMALL, budget), budget, frozenset({"b", "a"})
    )
    return trial


def _record(stored: StoredStudy) -> TrialRecord:
    return stored.records()[-1]


def test_a_candidate_comes_back_as_it_was(tmp_path: Path) -> None:
    """Architecture and recipe, seed included, are read back equal to what was recorded."""
    stored = begun(tmp_path)
    recipe = Recipe(epochs=3, seed=2**62, learning_rate=0.0123)
    trial = _asked(stored, recipe)
    trial.set_user_attr("outcome", Outcome.COMPLETE)
    stored.study.tell(trial, 0.5)
    record = _record(stored)
    assert record.candidate((1, 8, 8)) == Candidate(SMALL, recipe)
    assert record.parameters == assess(SMALL, stored.file.budget).cost.parameters
    assert record.attributes["inactive"] == ["a", "b"]
    assert record.ended is not None


@pytest.mark.parametrize("core", CORES)
def test_flash_is_counted_for_the_core_that_the_budget_names(tmp_path: Path, core: str) -> None:
    """A budget without limits on a chip names a core all the same, and its code is what counts."""
    stored = begun(tmp_path)
    budget = replace(stored.file.budget, core=core)
    trial = stored.study.ask()
    record_candidate(trial, Candidate(SMALL, Recipe()), assess(SMALL, budget), budget, frozenset())
    found = trial.user_attrs["cost"]["flash_kib"]
    assert found == deployed_cost(SMALL, core).flash_kib


def test_a_running_trial_has_no_outcome(tmp_path: Path) -> None:
    """What is not finished is not judged, even if its worker has just decided how it ends."""
    stored = begun(tmp_path)
    trial = _asked(stored, Recipe())
    assert _record(stored).outcome is None
    trial.set_user_attr("outcome", Outcome.COMPLETE)
    assert _record(stored).outcome is None
    assert _record(stored).score is None
    assert not _record(stored).trained


@pytest.mark.parametrize("outcome", Outcome)
def test_only_what_was_trained_counts(tmp_path: Path, outcome: Outcome) -> None:
    """Rejections and interruptions are no trained trials; every other outcome is one."""
    stored = begun(tmp_path)
    trial = _asked(stored, Recipe())
    trial.set_user_attr("outcome", outcome)
    trial.set_user_attr("reason", "why")
    stored.study.tell(trial, state=TrialState.PRUNED)
    record = _record(stored)
    assert record.outcome is outcome
    assert record.reason == "why"
    assert record.trained == (outcome not in (Outcome.REJECTED, Outcome.INTERRUPTED))
    assert record.trained == (outcome in trained_outcomes)


def test_a_trial_that_ended_without_a_word_was_interrupted(tmp_path: Path) -> None:
    """A trial that some other tool has ended counts as interrupted."""
    stored = begun(tmp_path)
    stored.study.tell(stored.study.ask(), state=TrialState.FAIL)
    assert _record(stored).outcome is Outcome.INTERRUPTED


def test_a_trial_without_a_candidate_says_so(tmp_path: Path) -> None:
    """A trial that was ended before it drew anything has no candidate to rebuild."""
    stored = begun(tmp_path)
    stored.study.ask()
    with pytest.raises(ValueError, match="trial 0 has no architecture"):
        _record(stored).candidate((1, 8, 8))


def test_epochs_give_the_floor(tmp_path: Path) -> None:
    """The floor of a trial is the lowest of its last epochs, and none before the first."""
    stored = begun(tmp_path)
    trial = _asked(stored, Recipe())
    assert _record(stored).floor(2) is None
    epochs = [Epoch(n, 1.0, 0.5, a, 0.1) for n, a in enumerate((0.2, 0.9, 0.7, 0.8))]
    trial.set_user_attr("epochs", [epoch.to_dict() for epoch in epochs])
    record = records_of(stored.study.get_trials(deepcopy=False))[0]
    assert record.epochs == tuple(epochs)
    assert record.floor(2) == 0.7
    assert record.floor(9) == 0.2


@given(st.lists(st.tuples(st.none() | st.sampled_from([0.5, 0.7, 0.9]), st.integers(1, 3))))
def test_the_best_is_the_highest_and_then_the_smallest(
    figures: list[tuple[float | None, int]],
) -> None:
    """No trial scores more, and none that scores the same is smaller; without a score none wins."""
    records = [
        replace(NO_CANDIDATE, number=number, score=score, parameters=parameters)
        for number, (score, parameters) in enumerate(figures)
    ]
    scored = [record for record in records if record.score is not None]
    best = best_of(records)
    assert (best is None) == (not scored)
    for record in scored:
        assert best is not None
        assert best.score is not None
        assert record.score is not None
        assert best.score >= record.score
        if best.score == record.score:
            assert (best.parameters or 0) <= (record.parameters or 0)

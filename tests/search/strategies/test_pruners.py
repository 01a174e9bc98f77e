from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from optuna.pruners import PercentilePruner, SuccessiveHalvingPruner
from optuna.trial import Trial, TrialState

from search.spec.study_settings import StudySettings
from search.strategies.pruners import PRUNERS, Pruner, make_pruner, should_prune
from search.study.records import Outcome
from tests.search.small_studies import SKELETON, begun, search_here


def _train(study: optuna.Study, trial: Trial, accuracy: float, epochs: int) -> int:
    """The epochs that a trial of this accuracy is trained for."""
    for epoch in range(epochs):
        if should_prune(trial, epoch, accuracy, epochs):
            study.tell(trial, state=TrialState.PRUNED)
            return epoch + 1
    study.tell(trial, accuracy)
    return epochs


@pytest.mark.parametrize("name", PRUNERS)
@pytest.mark.parametrize("epochs", [1, 2, 15, 100])
def test_no_pruner_stops_a_trial_before_a_fifth_of_its_epochs(name: str, epochs: int) -> None:
    """The worst of many trials is still trained for a fifth of its epochs."""
    study = optuna.create_study(direction="maximize", pruner=make_pruner(name, epochs))
    for _ in range(12):
        _train(study, study.ask(), 0.9, epochs)
    assert _train(study, study.ask(), 0.1, epochs) >= max(1, epochs // 5)


def test_a_trial_is_not_stopped_after_its_last_epoch() -> None:
    """Even a pruner that stops everything leaves a trial complete that has had all its epochs."""
    study = optuna.create_study(
        direction="maximize",
        pruner=PercentilePruner(1.0, n_startup_trials=1, n_warmup_steps=0),
    )
    assert _train(study, study.ask(), 0.9, 3) == 3
    assert _train(study, study.ask(), 0.1, 3) == 1
    assert not should_prune(study.ask(), 2, 0.1, 3)


def test_every_epoch_is_reported() -> None:
    """The pruner sees the accuracy of each epoch, the last one's too."""
    study = optuna.create_study(direction="maximize", pruner=make_pruner("none", 3))
    _train(study, study.ask(), 0.5, 3)
    assert study.trials[0].intermediate_values == {0: 0.5, 1: 0.5, 2: 0.5}


def test_halving_starts_no_earlier_than_the_third_of_15_epochs() -> None:
    """In the shipped studies of 15 epochs a trial is first compared after three."""
    pruner = make_pruner("halving", 15)
    assert isinstance(pruner, SuccessiveHalvingPruner)
    assert pruner._min_resource == 3


def test_an_unknown_name_is_refused() -> None:
    """The message names what was asked for and every pruner."""
    with pytest.raises(ValueError, match=f"'guess' is not known; give one of {', '.join(PRUNERS)}"):
        make_pruner("guess", 1)


def test_the_default_of_a_study_file_is_known() -> None:
    """A study file without a pruner names one that exists."""
    assert StudySettings(name="a", dataset="digits").pruner in PRUNERS


def test_a_new_pruner_is_one_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A study file can name it and a worker searches with it, with no other change."""
    entry = Pruner("stops nearly all", lambda first, epochs: PercentilePruner(1.0, 1, 0))
    monkeypatch.setitem(PRUNERS, "strict", entry)
    stored = begun(tmp_path, space=SKELETON, pruner="strict", epochs=3)
    search_here(stored, 4)
    assert Outcome.PRUNED in {record.outcome for record in stored.records()}

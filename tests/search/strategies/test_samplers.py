from __future__ import annotations

import optuna
import pytest
from optuna.pruners import SuccessiveHalvingPruner
from optuna.trial import Trial, TrialState

from search.spec.sections import StudySettings
from search.strategies.samplers import PRUNERS, SAMPLERS, make_pruner, make_sampler


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sampler_follows_its_seed(name: str) -> None:
    """The same seed suggests the same and another seed something else."""

    def drawn(seed: int) -> list[float]:
        study = optuna.create_study(sampler=make_sampler(name, seed))
        return [study.ask().suggest_float("x", 0, 1) for _ in range(3)]

    assert drawn(1) == drawn(1)
    assert not set(drawn(1)) & set(drawn(2))


@pytest.mark.parametrize("name", PRUNERS)
@pytest.mark.parametrize("epochs", [1, 2, 15, 100])
def test_no_pruner_stops_a_trial_before_a_fifth_of_its_epochs(name: str, epochs: int) -> None:
    """The worst of many trials is still let train to the first rung."""
    study = optuna.create_study(direction="maximize", pruner=make_pruner(name, epochs))

    def ends_at(trial: Trial, accuracy: float) -> int:
        for epoch in range(epochs):
            trial.report(accuracy, epoch)
            if trial.should_prune():
                study.tell(trial, state=TrialState.PRUNED)
                return epoch + 1
        study.tell(trial, accuracy)
        return epochs

    for _ in range(12):
        ends_at(study.ask(), 0.9)
    assert ends_at(study.ask(), 0.1) >= max(1, epochs // 5)


def test_halving_starts_no_earlier_than_the_third_of_15_epochs() -> None:
    """The shipped studies' first rung stands at three of their 15 epochs."""
    pruner = make_pruner("halving", 15)
    assert isinstance(pruner, SuccessiveHalvingPruner)
    assert pruner._min_resource == 3


@pytest.mark.parametrize("make", [make_sampler, make_pruner])
def test_an_unknown_name_is_refused(make: object) -> None:
    """A name that is none is told with those that are."""
    with pytest.raises(ValueError, match="known: "):
        make("guess", 1)  # type: ignore[operator]


def test_the_defaults_of_a_study_file_are_known() -> None:
    """A study file without a sampler and a pruner names ones that exist."""
    settings = StudySettings(name="a", dataset="digits")
    assert settings.sampler in SAMPLERS
    assert settings.pruner in PRUNERS

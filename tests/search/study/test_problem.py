from __future__ import annotations

from math import inf
from pathlib import Path

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.spec.study_file import StudyFile
from search.study.problem import Describer, most_trials, problem_of
from search.study.records import Outcome
from space.search_space import SearchSpace
from tests.search.small_studies import STAGES, begun, search_here, template

MIXED = {
    "stages": [1, 2, 3],
    "convs": {"low": 1, "high": 2},
    "width": {"low": 4, "high": 24},
    "kernel": [3, 5],
    "block": ["conv", "separable"],
    "padding": ["same", "valid"],
    "skip": [False, True],
    "transition": ["none", "after-pool"],
    "transition_width": {"low": 4, "high": 8},
}


def _file(budget: dict[str, float]) -> StudyFile:
    study = {"name": "t", "dataset": "digits"}
    return StudyFile.from_dict({"format": 1, "study": study, "budget": budget, "space": MIXED})


@pytest.mark.parametrize(
    "budget",
    [{"parameters": 2_000}, {"macs": 40_000, "parameters": 3_000}, {"activation_kib": 4.0}],
    ids=["parameters", "macs", "activations"],
)
@settings(max_examples=40)
@given(seed=st.integers(0, 10_000))
def test_measuring_agrees_with_describing(budget: dict[str, float], seed: int) -> None:
    """What a repair asks often is what the description says, maps that vanish included."""
    file = _file(budget)
    space, recipes = file.search_space((1, 8, 8), 10), file.recipe_space()
    describer = Describer(space, recipes, file.budget)
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed)).ask()
    space.suggest(trial)
    recipes.suggest(trial, 0)
    found, measured = describer(trial.params), describer.measure(trial.params)
    assert (measured.fits, measured.fill) == (found.fits, found.fill)
    assert found.fits == (found.fill <= 1.0)
    assert (found.parameters is None) == (found.fill == inf)


def test_a_sampler_sees_what_the_trials_record(tmp_path: Path) -> None:
    """Keys, costs and distributions of a study's problem are those of its trials."""
    stored = begun(tmp_path, space=STAGES, parameters=900, epochs=1)
    search_here(stored, 2)
    problem = problem_of(stored, 3)
    for trial, record in zip(stored.study.get_trials(), stored.records(), strict=True):
        found = problem.describe(trial.params)
        assert trial.distributions == problem.distributions
        assert found.key == record.key
        assert found.parameters == record.parameters
        assert found.fits == (record.outcome is not Outcome.REJECTED)
    lengths = {len(problem.describe(trial.params).features) for trial in stored.study.get_trials()}
    assert len(lengths - {0}) == 1


def test_widths_are_the_numbers_of_channels() -> None:
    """Ranges of channels of stages, transitions and holes that stand alone; nothing else."""
    staged = SearchSpace.from_section(MIXED, input_shape=(1, 8, 8), classes=10)
    assert set(staged.widths) == {
        *(f"stage{stage}.conv{conv}.width" for stage in (1, 2, 3) for conv in (1, 2)),
        "stage1.transition_width",
        "stage2.transition_width",
    }
    holes = {
        "layers": ["conv{k} {a} pad{p} bn relu", "conv3 {b} drop{d}", "{c}", "gap", "linear 10"],
        "k": {"low": 3, "high": 5, "step": 2},
        "a": {"low": 4, "high": 8},
        "p": {"low": 0, "high": 1},
        "b": [4, 8],
        "d": {"low": 0.0, "high": 0.1},
        "c": ["relu", "silu"],
    }
    filled = SearchSpace.from_section(holes, input_shape=(1, 8, 8), classes=10)
    assert filled.widths == ("a",)


def test_a_space_with_a_continuous_field_is_not_counted(tmp_path: Path) -> None:
    """Three settings that fit are counted, those over the budget are not; rates are continuous."""
    space = template("conv3 {a} relu", "gap", "linear 10", a="[4, 5, 6, 900]")
    stored = begun(tmp_path, space=space, learning_rate=0.01)
    counted = problem_of(stored, 50)
    assert len(counted.candidates or {}) == 3
    assert most_trials(counted, stored.study) == 3
    stored = begun(tmp_path, space=space, name="free")
    free = problem_of(stored, 50)
    assert free.candidates is None
    assert most_trials(free, stored.study) == 50

from __future__ import annotations

from pathlib import Path

import pytest

from search.errors import StudyFileError
from search.ladder.selection import ChosenStep, ReplayPlan, choose_steps
from tests.search.ladder_texts import GOOD, LADDERS, written

EVERY = len(LADDERS)


def chosen(folder: Path, text: str = GOOD, **plan: object) -> list[ChosenStep]:
    """The rungs of a ladder with this text."""
    return choose_steps(ReplayPlan((written(folder, text),), **plan), folder)  # type: ignore[arg-type]


def test_all_steps_are_meant_unless_named(tmp_path: Path) -> None:
    """Steps come in the file's order; names and a number of parameters leave others out."""
    names = [each.step.name for each in chosen(tmp_path)]
    assert names == ["skeleton", "rotation"]
    assert [r.step.name for r in chosen(tmp_path, steps=("rotation",))] == ["rotation"]
    assert [r.step.name for r in chosen(tmp_path, parameters=160)] == ["skeleton"]


def test_shipped_ladders_can_be_planned_together() -> None:
    """All ladders at once give every step, and 26 of them have at most 15,000 parameters."""
    assert len(ReplayPlan(tuple(LADDERS)).chosen()) == 30
    assert len(ReplayPlan(tuple(LADDERS), parameters=15_000).chosen()) == 26
    names = [step.name for _, step in ReplayPlan(tuple(LADDERS), ("lr-scheduler",)).chosen()]
    assert names == ["lr-scheduler"] * 3


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ({"steps": ("rotatoin",)}, "rotation"),
        ({"steps": ("skeleton", "nothing")}, "nothing"),
        ({"parameters": 3}, "give at least 152"),
        ({"epochs": 1}, "at least 2"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    tmp_path: Path, plan: dict[str, object], words: str
) -> None:
    """An unknown step, no step that is small enough and too few epochs are one line each."""
    with pytest.raises(StudyFileError) as caught:
        chosen(tmp_path, **plan)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_fingerprint_names_what_is_trained(tmp_path: Path) -> None:
    """It changes with layers, recipe and epochs, and with nothing else in the file."""
    first, second = chosen(tmp_path)
    assert first.fingerprint != second.fingerprint
    told = GOOD.replace("Begin.", "Start.").replace("goal = 0.97", "goal = 0.9")
    assert chosen(tmp_path, told)[0].fingerprint == first.fingerprint
    for changed in (GOOD.replace("epochs = 3", "epochs = 3\nbatch_size = 64"),):
        assert chosen(tmp_path, changed)[0].fingerprint != first.fingerprint
    assert chosen(tmp_path, epochs=7)[0].fingerprint != first.fingerprint
    assert chosen(tmp_path, epochs=3)[0].fingerprint == first.fingerprint
    assert len(first.fingerprint) == 40


def test_seeds_and_epochs_go_into_the_recipe(tmp_path: Path) -> None:
    """A candidate is the step's, with the seed and the epochs that were asked for."""
    step = chosen(tmp_path, epochs=9)[1]
    candidate = step.candidate(4)
    assert (candidate.recipe.seed, candidate.recipe.epochs) == (4, 9)
    assert candidate.recipe.augment == step.step.recipe.augment
    assert candidate.architecture == step.step.architecture

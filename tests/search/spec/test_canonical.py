from __future__ import annotations

import copy
import json

import pytest

from search.spec.study_file import StudyFile, differences
from tests.search.study_texts import GOOD, STUDIES, TEMPLATE, changed, sections
from trainer.data import known_shape


@pytest.mark.parametrize("text", [GOOD, TEMPLATE, *(path.read_text("utf-8") for path in STUDIES)])
def test_to_dict_round_trip(text: str) -> None:
    """The resolved form goes through JSON, reads back, and resolves to itself."""
    file = StudyFile.from_dict(sections(text))
    resolved = json.loads(json.dumps(file.to_dict(), allow_nan=False))
    again = StudyFile.from_dict(resolved)
    assert again.to_dict() == resolved == file.to_dict()
    assert (again.settings, again.budget) == (file.settings, file.budget)
    assert again.recipe_space() == file.recipe_space()
    shape = known_shape(file.settings.dataset)
    assert shape is not None
    assert again.search_space(*shape).parameters == file.search_space(*shape).parameters


SAME: list[tuple[str, object]] = [
    ("study.trials", 7),
    ("study.floor_epochs", 5),
    ("study.start_from", []),
    ("space.skip", False),
    ("space.dropout", 0),
    ("space.stages", {"choices": [1, 2]}),
    ("space.width", {"low": 4, "high": 24, "step": 1, "log": False, "per": "conv"}),
    ("recipe.averaging", 0.0),
    ("recipe.augment", [{"kind": "affine", "degrees": [5, 10], "shear": 0}]),
]


@pytest.mark.parametrize(("place", "value"), SAME)
def test_no_difference(place: str, value: object) -> None:
    """Neither the number of trials nor a default that is written out is a difference."""
    stored, new = (StudyFile.from_dict(v).to_dict() for v in (sections(), changed(place, value)))
    assert differences(stored, new) == differences(new, stored) == ()


OTHER: list[tuple[str, object, str]] = [
    ("study.seed", 1, "study.seed: was 0, now 1"),
    ("study.target", 0.9, "study.target: was absent, now 0.9"),
    ("study.sampler", "random", 'study.sampler: was "tpe", now "random"'),
    ("budget.macs", 99_999, "budget.macs: was absent, now 99999"),
    ("space.padding", ["same"], 'space.padding: was "same", now ["same"]'),
    ("space.width", [4, 8], "space.width: was { low = 4, high = 24 }, now [4, 8]"),
    (
        "space.width",
        {"low": 4, "high": 24, "per": "stage"},
        'space.width: was { low = 4, high = 24 }, now { low = 4, high = 24, per = "stage" }',
    ),
    ("recipe.nesterov", [False], "recipe.nesterov: was false, now [false]"),
]


@pytest.mark.parametrize(("place", "value", "line"), OTHER)
def test_difference(place: str, value: object, line: str) -> None:
    """Any other change is named with its key and both values."""
    stored, new = (StudyFile.from_dict(v).to_dict() for v in (sections(), changed(place, value)))
    assert differences(stored, new) == (line,)


def test_differences_of_augmentation_name_the_step() -> None:
    """Steps are compared one by one, in order."""
    stored = StudyFile.from_dict(sections()).to_dict()
    new = copy.deepcopy(stored)
    new["recipe"]["augment"][0]["degrees"] = 5
    new["recipe"]["augment"].append({"kind": "flip", "probability": 0.5})
    assert differences(stored, new) == (
        "recipe.augment1.degrees: was [5, 10], now 5",
        'recipe.augment2.kind: was absent, now "flip"',
        "recipe.augment2.probability: was absent, now 0.5",
    )


def test_a_default_that_is_new_is_no_difference() -> None:
    """A study stored before a key existed goes on when that key has its default."""
    new = StudyFile.from_dict(sections()).to_dict()
    stored = copy.deepcopy(new)
    del stored["study"]["floor_epochs"], stored["space"]["head_hidden"]
    del stored["recipe"]["warmup"], stored["recipe"]["augment"][0]["fill"]
    del stored["recipe"]["normalise"]
    assert differences(stored, new) == ()
    new["recipe"]["warmup"] = 0.1
    assert differences(stored, new) == ("recipe.warmup: was 0.3, now 0.1",)

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.errors import StudyFileError
from search.spec.budget import Budget
from search.spec.study_file import StudyFile
from search.spec.study_settings import StudySettings
from tests.search.study_texts import GOOD, STUDIES, changed, sections, written
from trainer.data import known_shape


def problems_of(value: dict[str, Any]) -> dict[str, str]:
    """The messages with which a study file is refused, by key."""
    with pytest.raises(StudyFileError) as caught:
        StudyFile.from_dict(value)
    assert len(str(caught.value).splitlines()) == len(caught.value.problems) > 0
    return {problem.key: problem.message for problem in caught.value.problems}


def test_load_gives_all_sections(tmp_path: Path) -> None:
    """A good file becomes settings, budget and the raw sections; absent keys have defaults."""
    file = StudyFile.load(written(tmp_path, GOOD))
    assert file.settings == StudySettings("small", "digits")
    assert file.budget == Budget(parameters=2000)
    assert file.budget.limits() == {"parameters": 2000}
    assert file.space["stages"] == [1, 2]
    assert file.recipe_space().epochs == 10
    assert file.search_space((1, 8, 8), 10).size() > 1
    assert file.path == tmp_path / "study.toml"
    assert pickle.loads(pickle.dumps(file)) == file


def test_an_absent_recipe_is_the_default_recipe() -> None:
    """Every key of a recipe has a default, so the section may be left out."""
    value = sections()
    del value["recipe"]
    assert StudyFile.from_dict(value).recipe_space().epochs == 15


BAD: list[tuple[str, object, str, str]] = [
    ("study", None, "study", "missing"),
    ("budget", None, "budget", "missing"),
    ("space", None, "space", "missing"),
    ("study", 3, "study", "write [study]"),
    ("recipe", [{}], "recipe", "write [recipe]"),
    ("stduy", {}, "stduy", 'did you mean "study"'),
    ("format", 2, "format", "2 is not a format"),
    ("study.trails", 3, "study.trails", 'did you mean "trials"'),
    ("study.workers", 3, "study.workers", "known: name"),
    ("study.name", "My Study", "study.name", '"My Study" is not a name'),
    ("study.name", "-a", "study.name", "hyphens"),
    ("study.name", "a\n", "study.name", "hyphens"),
    ("study.name", "", "study.name", "hyphens"),
    ("study.name", "x" * 65, "study.name", "64"),
    ("study.name", 3, "study.name", "text in quotes"),
    ("study.dataset", "mnits", "study.dataset", 'did you mean "mnist"'),
    ("study.dataset", "imagenet", "study.dataset", "folder:PATH"),
    ("study.dataset", "folder:", "study.dataset", "folder:PATH"),
    ("study.sampler", "tpee", "study.sampler", 'did you mean "tpe"'),
    ("study.sampler", ["tpe"], "study.sampler", "random, tpe"),
    ("study.pruner", "halfing", "study.pruner", 'did you mean "halving"'),
    ("study.trials", 0, "study.trials", "at least 1"),
    ("study.trials", 60.0, "study.trials", "write 60"),
    ("study.trials", True, "study.trials", "whole number"),
    ("study.trials", "60", "study.trials", "whole number"),
    ("study.seed", -1, "study.seed", "at least 0"),
    ("study.seed", 2**32, "study.seed", "at most 4294967295"),
    ("study.target", 99.4, "study.target", "0.994"),
    ("study.target", -0.1, "study.target", "at least 0"),
    ("study.target", float("nan"), "study.target", "finite"),
    ("study.target", True, "study.target", "number"),
    ("study.floor_epochs", 0, "study.floor_epochs", "at least 1"),
    ("study.floor_epochs", 11, "study.floor_epochs", "at most 10"),
    ("recipe.epochs", 4, "study.floor_epochs", "at most 4"),
    ("study.start_from", ["a.toml", "b\n"], "study.start_from.2", "one line"),
    ("study.start_from", [3], "study.start_from.1", "text in quotes"),
    ("study.start_from", "a", "study.start_from", "list"),
    ("study.image_size", 32, "study.image_size", "folder:PATH only"),
    ("study.colour", False, "study.colour", "folder:PATH only"),
    ("study.background", "black", "study.background", "folder:PATH only"),
    ("study.background", "grey", "study.background", "is not a background"),
    ("study.skip_broken", True, "study.skip_broken", "folder:PATH only"),
    ("budget", {}, "budget", "parameters, macs, activation_kib, ram_kib or flash_kib"),
    ("budget.parameters", 0, "budget.parameters", "at least 1"),
    ("budget.parameters", -5, "budget.parameters", "at least 1"),
    ("budget.parameters", 8000.0, "budget.parameters", "write 8000"),
    ("budget.parameters", True, "budget.parameters", "whole number"),
    ("budget.activation_kib", 0, "budget.activation_kib", "more than 0"),
    ("budget.activation_kib", float("inf"), "budget.activation_kib", "finite"),
    ("budget.activation", 8, "budget.activation", 'did you mean "activation_kib"'),
    ("budget.parameters", 10, "budget.parameters", "no candidate"),
    ("budget.macs", 10, "budget.macs", "no candidate"),
    ("budget.activation_kib", 0.01, "budget.activation_kib", "no candidate"),
    ("space.widht", 3, "space.widht", 'did you mean "width"'),
    ("space.width", {"low": 9, "high": 4}, "space.width", "swap"),
    ("space.width", {"low": 4, "high": float("inf")}, "space.width", "whole number"),
    ("space.kernel", [3, 3], "space.kernel", "twice"),
    ("recipe.learning_rates", 3, "recipe.learning_rates", 'did you mean "learning_rate"'),
]


@pytest.mark.parametrize(("place", "value", "key", "hint"), BAD)
def test_what_is_refused(place: str, value: object, key: str, hint: str) -> None:
    """One bad key is one problem, under its key, with the value or the way out."""
    bad = changed(place, value)
    if value is None:
        del bad[place]
    found = problems_of(bad)
    assert list(found) == [key]
    assert hint in found[key]


def test_a_space_without_any_buildable_candidate_is_refused() -> None:
    """Maps that always vanish are found before anything starts."""
    space = {"stages": 4, "convs": 3, "kernel": 7, "padding": "valid", "width": 4}
    assert list(problems_of(changed("space", space))) == ["space"]


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    """Every section is read whatever is wrong with the others, and each line names the file."""
    text = GOOD.replace("digits", "digit").replace("2_000", "0").replace("[1, 2]", '["1"]')
    path = written(tmp_path, text.replace("epochs = 10", "epochs = true") + "[extra]\n")
    with pytest.raises(StudyFileError) as caught:
        StudyFile.load(path)
    assert [problem.key for problem in caught.value.problems] == [
        "extra",
        "study.dataset",
        "budget.parameters",
        "space.stages",
        "recipe.epochs",
    ]
    assert all(line.startswith(f"{path}: ") for line in str(caught.value).splitlines())


def test_a_folder_is_read_without_being_opened() -> None:
    """A data set of images needs no files to be validated; its space is checked all the same."""
    value = changed("study.dataset", "folder:pictures")
    value["study"] |= {"image_size": 32, "colour": True}
    file = StudyFile.from_dict(value)
    assert file.settings.dataset == "folder:pictures"
    value["space"]["width"] = 0
    assert list(problems_of(value)) == ["space.width"]


def test_check_fits_names_bound_and_budget() -> None:
    """A space that cannot keep to the budget for the shape of a folder is refused when it opens."""
    value = changed("study.dataset", "folder:pictures")
    value["budget"] = {"macs": 20_000}
    file = StudyFile.from_dict(value)
    file.check_fits(file.search_space((1, 8, 8), 2))
    with pytest.raises(StudyFileError, match=r"budget.macs: .* but the budget is 20,000; raise"):
        file.check_fits(file.search_space((3, 64, 64), 2))


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_every_shipped_study_loads(path: Path) -> None:
    """Shipped studies are named like their files, say how to run them, and are large."""
    file = StudyFile.load(path)
    known = known_shape(file.settings.dataset)
    assert known is not None
    assert file.settings.name == path.stem
    assert f"#   flyweight run studies/{path.name}" in path.read_text(encoding="utf-8")
    assert file.search_space(*known).size() >= 1_000_000


GARBAGE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["low", "high", "log", "choices", "per"]), inner)
    ),
    max_leaves=6,
)
PLACES = [f"{name}.{key}" for name in ("study", "budget", "space", "recipe") for key in "xy"] + [
    *("study.name", "study.dataset", "study.trials", "study.start_from", "study.floor_epochs"),
    *("budget.parameters", "budget.activation_kib", "recipe.epochs", "recipe.augment"),
    *("space.stages", "space.convs", "space.width", "space.kernel", "space.head", "space.layers"),
    *("study", "budget", "space", "recipe"),
]


@settings(max_examples=120)
@given(place=st.sampled_from(PLACES), garbage=GARBAGE)
def test_garbage_is_refused_or_works(place: str, garbage: object) -> None:
    """Whatever a key holds, the file is refused with keys and lines, or it resolves."""
    value = changed(place, garbage)
    try:
        file = StudyFile.from_dict(value)
    except StudyFileError:
        assert all(problems_of(value))
    else:
        assert StudyFile.from_dict(file.to_dict()).to_dict() == file.to_dict()


def test_the_smallest_network_needs_a_target_and_a_limit() -> None:
    """Without an accuracy to hold, or a size to fall below, the goal means nothing."""
    found = problems_of(changed("study.goal", "smallest"))
    assert found.keys() == {"study.target"}
    value = changed("study", {"name": "a", "dataset": "digits", "goal": "smallest", "target": 0.9})
    assert StudyFile.from_dict(value).settings.to_hold == 0.9
    value["budget"] = {"macs": 100_000}
    assert problems_of(value).keys() == {"budget.parameters"}
    assert "give" in problems_of(changed("study.goal", "smalest"))["study.goal"]


@pytest.mark.parametrize(
    ("limits", "key", "message"),
    [
        ([], "budget.parameters", "has too few limits"),
        ([900], "budget.parameters", "give two or more, or one number"),
        ([900, 800], "budget.parameters", "800 stands behind 900"),
        ([900, 900], "budget.parameters", "each limit once"),
        ([900, 0], "budget.parameters.2", "0 is too small"),
        ([900.0, 1_000], "budget.parameters.1", "write 900"),
        ("many", "budget.parameters", "whole number"),
    ],
)
def test_wrong_limits_are_refused(limits: object, key: str, message: str) -> None:
    """A list of limits has two or more whole numbers, ascending; a single number is no list."""
    assert message in problems_of(changed("budget.parameters", limits))[key]


def test_a_list_of_limits() -> None:
    """Each limit must leave a candidate; the largest is the budget that all must fit."""
    file = StudyFile.from_dict(changed("budget.parameters", [900, 2_000]))
    assert file.budget.several == (900, 2_000)
    assert file.budget.limits() == {"parameters": 2_000}
    assert file.budget.to_dict() == {"parameters": [900, 2_000]}
    assert [file.budget.smallest_for(n) for n in (900, 901, 2_001)] == [900, 2_000, None]
    assert file.budget.under(900) == Budget(parameters=900)
    found = problems_of(changed("budget.parameters", [20, 30, 2_000]))
    assert found.keys() == {"budget.parameters.1", "budget.parameters.2"}
    assert "the limit is 20" in found["budget.parameters.1"]
    wrong = changed("budget.parameters", [900, 2_000])
    wrong["study"] |= {"goal": "smallest", "target": 0.9}
    assert "one limit" in problems_of(wrong)["budget.parameters"]

from __future__ import annotations

import copy
import json
import pickle
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.errors import StudyFileError
from search.study_file import Budget, StudyFile, StudySettings, differences
from trainer.data import known_shape

STUDIES = sorted((Path(__file__).parents[2] / "studies").glob("*.toml"))

GOOD = """
[study]
name = "small"
dataset = "digits"

[budget]
parameters = 2_000

[space]
stages = [1, 2]
width = { low = 4, high = 24 }
padding = "same"

[recipe]
epochs = 10
learning_rate = { low = 1e-3, high = 1e-1, log = true }

[[recipe.augment]]
kind = "affine"
degrees = [5, 10]
"""

TEMPLATE = """
[study]
name = "template"
dataset = "mnist"

[budget]
parameters = 2_000

[space]
layers = ["conv3 {a} bn relu", "maxpool2", "conv3 {b} bn relu drop{d}", "gap", "conv1 10"]
a = { low = 4, high = 16 }
b = [8, 12]
d = { low = 0.0, high = 0.2 }
"""


def written(folder: Path, text: str) -> Path:
    """The path of a study file with this text."""
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


def sections(text: str = GOOD) -> dict[str, Any]:
    """A study file as ``from_dict`` takes it."""
    return {"format": 1, **tomllib.loads(text)}


def changed(key: str, value: object, text: str = GOOD) -> dict[str, Any]:
    """A study file of which one key (dots lead inward) has another value."""
    result = sections(text)
    *path, last = key.split(".")
    table = result
    for name in path:
        table = table[name]
    table[last] = value
    return result


def problems_of(value: dict[str, Any]) -> dict[str, str]:
    """The messages with which a study file is refused, by key."""
    with pytest.raises(StudyFileError) as caught:
        StudyFile.from_dict(value)
    assert len(str(caught.value).splitlines()) == len(caught.value.problems) > 0
    return {problem.key: problem.message for problem in caught.value.problems}


def file_problem(path: Path) -> str:
    """The message with which a file as a whole is refused."""
    with pytest.raises(StudyFileError) as caught:
        StudyFile.load(path)
    (problem,) = caught.value.problems
    assert caught.value.path == path
    assert problem.key == ""
    assert str(caught.value) == f"{path}: {problem.message}"
    return problem.message


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


def test_a_byte_order_mark_and_windows_line_ends_are_no_error(tmp_path: Path) -> None:
    """What Windows editors write loads the same."""
    path = tmp_path / "study.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert StudyFile.load(path).to_dict() == StudyFile.from_dict(sections()).to_dict()


def test_an_absent_recipe_is_the_default_recipe() -> None:
    """Every key of a recipe has a default, so the section may be left out."""
    value = sections()
    del value["recipe"]
    assert StudyFile.from_dict(value).recipe_space().epochs == 15


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"[study\nname = 1", "line 1"),
        (b"[study]\nname = 'a'\nname = 'b'", "line 3"),
        (b"x = " + b"[" * 50_000, "too deeply"),
        (b"x" + b".x" * 50_000 + b" = 1", "not TOML"),
        (b"[study]\nname = '\xff'", "UTF-8 text (byte 16)"),
        (GOOD.encode("utf-16"), "UTF-8"),
        (b"# " + b"x" * (1 << 20), "1 MiB"),
        (b"x = 1" + b"0" * 5000, "not TOML"),
    ],
    ids=["syntax", "twice", "brackets", "dots", "latin1", "utf16", "huge", "digits"],
)
def test_files_that_are_no_toml(tmp_path: Path, content: bytes, hint: str) -> None:
    """Such a file is refused as a whole, with the place where there is one."""
    path = tmp_path / "study.toml"
    path.write_bytes(content)
    assert hint in file_problem(path)


def test_paths_that_are_no_file(tmp_path: Path) -> None:
    """A missing file, a directory and an impossible path are told apart."""
    assert "no such file" in file_problem(tmp_path / "none.toml")
    assert "no such file" in file_problem(Path("a\0b"))
    assert "not a file" in file_problem(tmp_path)
    assert "too long" in file_problem(tmp_path / ("x" * 5000))


def test_nesting_and_numbers_beyond_toml_are_refused(tmp_path: Path) -> None:
    """What would overwhelm other code is refused under its key."""
    text = GOOD + f"fill = 0x{'f' * 5000}\nshear{'.x' * 100} = 1\n"
    with pytest.raises(StudyFileError) as caught:
        StudyFile.load(written(tmp_path, text))
    found = {problem.key: problem.message for problem in caught.value.problems}
    assert "64 bits" in found["recipe.augment.1.fill"]
    assert "too deeply" in found["recipe.augment"]


BAD = [
    ("study", None, "study", "missing"),
    ("budget", None, "budget", "missing"),
    ("space", None, "space", "missing"),
    ("study", 3, "study", "write [study]"),
    ("recipe", [{}], "recipe", "write [recipe]"),
    ("stduy", {}, "stduy", 'did you mean "study"'),
    ("format", 2, "format", "2 is a format"),
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
    ("study.start_from", ["ladders/a.toml#b"], "study.start_from", "not supported"),
    ("study.start_from", "a", "study.start_from", "list"),
    ("study.image_size", 32, "study.image_size", "folder:PATH only"),
    ("study.colour", False, "study.colour", "folder:PATH only"),
    ("budget", {}, "budget", "parameters, macs or activation_kib"),
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
    with pytest.raises(StudyFileError, match=r"budget.macs: .* the budget is 20,000; raise"):
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


SAME = [
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


OTHER = [
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
    assert differences(stored, new) == ()
    new["recipe"]["warmup"] = 0.1
    assert differences(stored, new) == ("recipe.warmup: was 0.3, now 0.1",)


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


@settings(deadline=None, max_examples=200)
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

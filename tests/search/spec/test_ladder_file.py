from __future__ import annotations

import dataclasses
import pickle
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.errors import StudyFileError
from search.spec import ladder_file
from search.spec.ladder_file import LadderFile, LadderSettings, Reported
from search.validate import validate
from space.architecture import Architecture
from tests.search.ladder_texts import GOOD, UNREPORTED, written
from tests.search.study_texts import GOOD as STUDY
from tests.search.study_texts import STUDIES
from trainer.augment import Affine
from trainer.recipe import Recipe

FOLDER = GOOD.replace('"digits"', '"folder:pictures"')
SHAPED = FOLDER.replace('layers = ["', 'layers = ["input 3x16x16", "').replace("152", "296")


def problems_of(path: Path) -> dict[str, str]:
    """The messages with which a ladder file is refused, by key."""
    with pytest.raises(StudyFileError) as caught:
        LadderFile.load(path)
    lines = str(caught.value).splitlines()
    assert len(lines) == len(caught.value.problems) > 0
    assert all(line.startswith(f"{path}: ") for line in lines)
    return {problem.key: problem.message for problem in caught.value.problems}


def replaced(old: str, new: str) -> str:
    """The good ladder with its only or first ``old`` replaced."""
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def test_load_gives_settings_and_steps(tmp_path: Path) -> None:
    """A good file becomes settings and steps in their order; absent keys have defaults."""
    ladder = LadderFile.load(written(tmp_path, GOOD))
    source = "https://example.org/small"
    assert ladder.settings == LadderSettings(
        "small", "digits", "A small ladder", 0.97, parameters=500, floor_epochs=2, source=source
    )
    first, second = ladder.steps
    assert (first.name, first.target, first.note) == ("skeleton", "Begin.", "")
    assert first.architecture == Architecture.parse("conv3 8 relu\nconv1 10\ngap", (1, 8, 8))
    assert first.recipe == Recipe(epochs=3, optimizer="sgd", schedule="none", normalise=False)
    assert first.reported == Reported(152, best_test=91.5, test=(80.0, 90.0, 91.5))
    assert second.note == "Nothing else."
    assert second.recipe.augment == (Affine(degrees=7, interpolation="nearest"),)
    assert second.recipe.seed == 0
    assert second.reported.seconds_per_epoch == 0.5
    assert ladder.path == tmp_path / "ladder.toml"
    assert pickle.loads(pickle.dumps(ladder)) == ladder


def test_nothing_needs_to_be_reported(tmp_path: Path) -> None:
    """A ladder without source and reported figures is the same ladder without these."""
    ladder = LadderFile.load(written(tmp_path, GOOD))
    plain = LadderFile.load(written(tmp_path, UNREPORTED))
    assert plain.settings == dataclasses.replace(ladder.settings, source="")
    assert [step.reported for step in plain.steps] == [None, None]
    assert plain.steps == tuple(dataclasses.replace(x, reported=None) for x in ladder.steps)


def test_a_step_is_found_by_its_name(tmp_path: Path) -> None:
    """An unknown name is refused with the nearest one and all that there are."""
    ladder = LadderFile.load(written(tmp_path, GOOD))
    assert ladder.step("rotation") is ladder.steps[1]
    with pytest.raises(StudyFileError) as caught:
        ladder.step("rotatoin")
    assert str(caught.value) == (
        f'{ladder.path}: step: "rotatoin" is not a step (did you mean "rotation"?); '
        "the ladder has skeleton, rotation"
    )


BAD = [
    ("[ladder]", "[lader]\n[ladder]", "lader", 'did you mean "ladder"'),
    ("[ladder]", "[budget]\n[ladder]", "budget", "[ladder] and [[step]]"),
    ('name = "small"', 'name = "Small"', "ladder.name", '"Small" is not a name'),
    ('name = "small"', "", "ladder.name", "is required"),
    ('"digits"', '"digit"', "ladder.dataset", 'did you mean "digits"'),
    ('title = "A small ladder"', "", "ladder.title", "is required"),
    ('"A small ladder"', r'"A\nB"', "ladder.title", "must be one line"),
    ("0.97", "97", "ladder.goal", "0.994"),
    ("0.97", "nan", "ladder.goal", "finite"),
    ("500", "0", "ladder.parameters", "at least 1"),
    ("parameters = 500", "", "ladder.parameters", "8_000"),
    ("500", "500\nsteps = 15", "ladder.steps", "known: name"),
    ("floor_epochs = 2", "floor_epochs = 3", "step.rotation.recipe.epochs", "floor_epochs = 3"),
    ('"skeleton"', '"Skeleton"', "step1.name", '"Skeleton" is not a name'),
    ('name = "skeleton"', "", "step1.name", "is required"),
    ('"skeleton"', '"rotation"', "step2.name", '"rotation" is the name of step 1 already'),
    ('target = "Begin."', "", "step.skeleton.target", "is required"),
    ('target = "Begin."', "target = 1", "step.skeleton.target", "text in quotes"),
    ('target = "Begin."', 'traget = "B"\ntarget = "C"', "step.skeleton.traget", '"target"'),
    ('layers = ["conv3 8 relu", "conv1 10", "gap"]', "", "step.skeleton.layers", "such as layers"),
    ('["conv3 8 relu", "conv1 10", "gap"]', "[]", "step.skeleton.layers", "at least one line"),
    ('["conv3 8 relu", "conv1 10", "gap"]', '"gap"', "step.skeleton.layers", '"gap" is not a list'),
    ('"gap"', "3", "step.skeleton.layers.3", "3 is not a text in quotes"),
    ('"conv1 10"', '"conv 10"', "step.skeleton.layers", 'line 2 "conv 10"'),
    ('"conv1 10"', '"conv1 12"', "step.skeleton.layers", "12 logits for the 10 classes of digits"),
    (', "gap"', "", "step.skeleton.layers", "end with gap"),
    ('"conv3 8 relu"', '"conv9 8 relu"', "step.skeleton.layers", 'line 1 "conv9 8 relu"'),
    ('["conv3', '["input 1x8x8", "conv3', "step.skeleton.layers", "remove the line"),
    ("epochs = 3", "epoch = 3", "step.skeleton.recipe.epoch", 'did you mean "epochs"'),
    ("epochs = 3", "epochs = [3, 5]", "step.skeleton.recipe.epochs", "must be one value"),
    ("epochs = 3", "epochs = 3.0", "step.skeleton.recipe.epochs", "write 3"),
    ("epochs = 3", "epochs = 3\nseed = 1", "step.skeleton.recipe.seed", "remove it"),
    ('"none"', "{ low = 1, high = 2 }", "step.skeleton.recipe.schedule", "must be one value"),
    ('"none"', '"one-cicle"', "step.skeleton.recipe.schedule", '"one-cycle"'),
    ("false", "0", "step.skeleton.recipe.normalise", "true or false"),
    ("false", "true\naugment = 1", "step.skeleton.recipe.augment", "[[step.recipe.augment]]"),
    ("false", "true\naugment = [1]", "step.skeleton.recipe.augment1", "[[step.recipe.augment]]"),
    ('"affine"', '"afine"', "step.rotation.recipe.augment1.kind", 'did you mean "affine"'),
    ("= 7", "= [5, 7]", "step.rotation.recipe.augment1.degrees", "must be one value"),
    ("= 7", "= 700", "step.rotation.recipe.augment1.degrees", "at most 180"),
    ("[step.recipe]", "[[step.recipe]]", "step.skeleton.recipe", "not a table"),
    ("[step.reported]", "[[step.reported]]", "step.skeleton.reported", "not a table"),
    ("[step.reported]", "[step.x]\n[step.reported]", "step.skeleton.x", "known: name"),
    ("152", "153", "step.skeleton.reported.parameters", "153 is not the 152 of the layers"),
    ("parameters = 152", "", "step.skeleton.reported.parameters", "is required"),
    ("best_test = 91.5", "", "step.skeleton.reported.best_test", "in per cent"),
    ("best_test = 91.5", "best_test = 101", "step.skeleton.reported.best_test", "at most 100"),
    ("[80.0, 90, 91.5]", "[80.0]", "step.skeleton.reported.test", "1 figures for 3 epochs"),
    ("[80.0, 90, 91.5]", '[8, "9", 91]', "step.skeleton.reported.test.2", "not a number"),
    ("[90.0, 95]", "[90, 95, 96]", "step.rotation.reported.train", "3 figures for 2 epochs"),
    ("seconds_per_epoch = 0.5", "seconds = 1", "step.rotation.reported.seconds", "known: param"),
    ("= 0.5", "= 0", "step.rotation.reported.seconds_per_epoch", "more than 0"),
    ("= 0.5", '= "slow"', "step.rotation.reported.seconds_per_epoch", "not a number"),
]


@pytest.mark.parametrize(("old", "new", "key", "hint"), BAD)
def test_what_is_refused(tmp_path: Path, old: str, new: str, key: str, hint: str) -> None:
    """One mistake is one line that names file, key, value or way out."""
    found = problems_of(written(tmp_path, replaced(old, new)))
    assert list(found) == [key]
    assert hint in found[key]


@pytest.mark.parametrize(
    ("text", "key", "hint"),
    [
        (GOOD[: GOOD.index("[[step]]")], "step", "add [[step]]"),
        ("step = 3\n" + GOOD[: GOOD.index("[[step]]")], "step", "write [[step]]"),
        ("step = [3]\n" + GOOD[: GOOD.index("[[step]]")], "step1", "3 is not a table"),
        (GOOD[GOOD.index("[[step]]") :], "ladder", "add [ladder]"),
        ("ladder = 3\n" + GOOD[GOOD.index("[[step]]") :], "ladder", "write [ladder]"),
        (STUDY, "", '"flyweight run"'),
        ("[ladder", "", "is not valid TOML"),
        (FOLDER.replace("152", "0"), "step.skeleton.layers", 'such as "input 3x32x32"'),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, text: str, key: str, hint: str) -> None:
    """A file without steps, without a ladder, or of another kind is refused by what it lacks."""
    found = problems_of(written(tmp_path, text))
    assert hint in found[key]


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    """Every step is read whatever is wrong with the others, and every line of its layers."""
    text = GOOD.replace("0.97", "2").replace("conv3 8", "conv 8", 1).replace("gap", "gapp", 1)
    text = text.replace("epochs = 3", "epochs = 0").replace("168", "7") + "[extra]\n"
    path = written(tmp_path, text)
    with pytest.raises(StudyFileError) as caught:
        LadderFile.load(path)
    assert [problem.key for problem in caught.value.problems] == [
        "extra",
        "ladder.goal",
        "step.skeleton.layers",
        "step.skeleton.layers",
        "step.skeleton.recipe.epochs",
        "step.rotation.reported.parameters",
    ]


def test_steps_are_read_without_a_data_set(tmp_path: Path) -> None:
    """Where the data set is not known, lines are checked and shapes are not."""
    text = GOOD.replace('"digits"', '"digit"').replace(', "gap"', "", 1).replace("168", "7")
    assert list(problems_of(written(tmp_path, text))) == ["ladder.dataset"]
    text = text.replace("conv1 10", "conv1 ten", 1)
    assert list(problems_of(written(tmp_path, text))) == ["ladder.dataset", "step.skeleton.layers"]


def test_a_folder_is_read_without_being_opened(tmp_path: Path) -> None:
    """The steps of a ladder on a folder of images begin with the shape of the images."""
    text = SHAPED.replace("168", "312")
    ladder = LadderFile.load(written(tmp_path, text))
    assert {step.architecture.input_shape for step in ladder.steps} == {(3, 16, 16)}


def test_validate_takes_one_file_or_several(tmp_path: Path) -> None:
    """A single path, as a text or a path, is one file."""
    missing = tmp_path / "none.toml"
    for files in (str(missing), missing, [str(missing)]):
        (error,) = validate(files)
        assert error.path == missing


def test_validate_tells_ladders_from_studies(tmp_path: Path) -> None:
    """Ladder files and study files are checked by their own rules, in the order given."""
    good = written(tmp_path, GOOD)
    (tmp_path / "bad").mkdir()
    bad = written(tmp_path / "bad", replaced("epochs = 3", "epochs = 0"))
    wrong_study = tmp_path / "study.toml"
    wrong_study.write_text(STUDY.replace("2_000", "0"))
    missing = tmp_path / "none.toml"
    errors = validate([good, bad, STUDIES[0], wrong_study, missing])
    assert [error.path for error in errors] == [bad, wrong_study, missing]
    assert errors[0].problems[0].key == "step.skeleton.recipe.epochs"
    assert errors[1].problems[0].key == "budget.parameters"


GARBAGE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["low", "high", "kind", "name", "layers"]), inner)
    ),
    max_leaves=6,
)
PLACES = [
    *("ladder", "step", "ladder.name", "ladder.dataset", "ladder.goal", "ladder.floor_epochs"),
    *("step.0", "step.0.name", "step.0.layers", "step.0.recipe", "step.0.reported", "step.0.x"),
    *("step.0.recipe.epochs", "step.0.recipe.augment", "step.0.recipe.nesterov"),
    *("step.0.recipe.optimizer", "step.1.recipe.augment.0", "step.1.recipe.augment.0.degrees"),
    *("step.0.reported.test", "step.0.reported.parameters", "step.0.reported.best_test"),
]


@settings(max_examples=100)
@given(place=st.sampled_from(PLACES), garbage=GARBAGE)
def test_garbage_is_refused_or_works(place: str, garbage: object) -> None:
    """Whatever a key holds, the file is refused with a line for each problem, or it loads."""
    *path, last = (int(key) if key.isdigit() else key for key in place.split("."))
    content: Any = tomllib.loads(GOOD)
    table = content
    for key in path:
        table = table[key]
    table[last] = garbage
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ladder_file, "read_toml", lambda _: content)
        try:
            LadderFile.load("ladder.toml")
        except StudyFileError:
            assert all(problems_of(Path("ladder.toml")).values())

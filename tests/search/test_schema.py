from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from search.cli.app import main
from search.errors import StudyFileError
from search.schema import schema
from search.spec.study_file import StudyFile
from space.stages.fields import STAGE_FIELDS
from tests.search.study_texts import sections
from trainer.augment import STEP_KINDS
from trainer.ranges import rules_of
from trainer.recipe import Recipe

SCHEMA = schema()
CHECK = Draft202012Validator(SCHEMA)
STUDIES = sorted((Path(__file__).parents[3] / "studies").glob("*.toml"))

values = (
    st.integers(-3, 70_000)
    | st.floats(-1, 2, allow_nan=False)
    | st.booleans()
    | st.sampled_from(["same", "relu", "gap-conv", "adamw", "one-cycle", "max", "x"])
)
fields = (
    values
    | st.lists(values, max_size=3)
    | st.fixed_dictionaries(
        {"low": values, "high": values},
        optional={"step": values, "log": st.booleans(), "per": st.sampled_from(["stage", "conv"])},
    )
    | st.fixed_dictionaries({"choices": st.lists(values, max_size=3)})
)


def _errors(file: dict[str, Any]) -> list[str]:
    """The errors of a study file, which has no key ``format`` yet."""
    written = {key: value for key, value in file.items() if key != "format"}
    return [error.message for error in CHECK.iter_errors(written)]


def test_it_is_a_schema() -> None:
    """The schema is one of its dialect, and says so."""
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_shipped_studies_follow_it(path: Path) -> None:
    """Every study file that comes along is one by the schema."""
    assert not _errors(tomllib.loads(path.read_text("utf-8")))


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("study", "sampler", "tpee"),
        ("study", "nmae", "a"),
        ("study", "trials", 0),
        ("budget", "parameters", "many"),
        ("budget", "core", "cortex-m5"),
        ("space", "head", "gap-cnov"),
        ("space", "widht", 8),
        ("recipe", "optimizer", "adm"),
        ("recipe", "epochs", [1, 2]),
        ("recipe", "augment", [{"kind": "affine", "degree": 7}]),
    ],
)
def test_what_is_wrong_is_refused(section: str, key: str, value: object) -> None:
    """A misspelt key or word, and a number out of range, are errors by the schema."""
    wrong: dict[str, Any] = sections()
    assert not _errors(wrong)
    wrong[section][key] = value
    assert _errors(wrong)


def test_every_key_is_known() -> None:
    """No key of a space by stages, a recipe or an augmentation is missing."""
    assert SCHEMA["properties"]["space"]["anyOf"][0]["properties"].keys() == STAGE_FIELDS.keys()
    recipe = SCHEMA["properties"]["recipe"]["properties"]
    assert recipe.keys() - {"augment"} == rules_of(Recipe).keys() - {"seed"}
    kinds = [each["properties"]["kind"]["const"] for each in recipe["augment"]["items"]["anyOf"]]
    assert kinds == list(STEP_KINDS)
    assert all("description" in recipe[key] for key in ("learning_rate", "averaging", "schedule"))


@given(
    st.sampled_from(
        [*STAGE_FIELDS, "recipe.learning_rate", "recipe.batch_size", "recipe.schedule"]
    ),
    fields,
)
def test_it_refuses_nothing_that_is_accepted(name: str, field: object) -> None:
    """Where the schema finds an error, so does the reader of study files."""
    file: dict[str, Any] = sections()
    section, key = ("recipe", name.partition(".")[2]) if "." in name else ("space", name)
    file[section][key] = field
    if _errors(file):
        with pytest.raises(StudyFileError):
            StudyFile.from_dict(file)


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    """``flyweight schema`` prints the schema and nothing else."""
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(SCHEMA))

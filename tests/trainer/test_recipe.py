from __future__ import annotations

import dataclasses
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.augment import STEP_KINDS, Affine, AugmentStep, Flip, step_from_dict
from trainer.errors import RecipeError
from trainer.optim.optimizers import OPTIMIZERS
from trainer.optim.schedules import SCHEDULES
from trainer.ranges import Range, rules_of, show
from trainer.recipe import Recipe

NUMBERS = {key: rule for key, rule in rules_of(Recipe).items() if isinstance(rule, Range)}


def inside(rule: Range) -> st.SearchStrategy[float]:
    """All numbers that a key takes."""
    if rule.whole:
        return st.integers(int(rule.low), int(rule.high))
    return st.floats(rule.low, rule.high)


def steps() -> st.SearchStrategy[AugmentStep]:
    """Steps of every kind with one of their numbers changed or none."""
    tables = [
        {"kind": kind, **({key: rule.high} if isinstance(rule, Range) else {})}
        for kind, cls in STEP_KINDS.items()
        for key, rule in rules_of(cls).items()
    ]
    return st.sampled_from(tables).map(step_from_dict)


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    """Any recipe that there can be."""
    values: dict[str, Any] = {key: draw(inside(rule)) for key, rule in NUMBERS.items()}
    values["optimizer"] = draw(st.sampled_from(list(OPTIMIZERS)))
    values["schedule"] = draw(st.sampled_from(list(SCHEDULES)))
    values["normalise"] = draw(st.booleans())
    values["augment"] = tuple(draw(st.lists(steps(), max_size=3)))
    if values["optimizer"] == "sgd" and values["momentum"] > 0:
        values["nesterov"] = draw(st.booleans())
    return Recipe(**values)


@given(recipes())
def test_a_recipe_survives_json(recipe: Recipe) -> None:
    """Writing a recipe as JSON and reading it must give an equal one with equal text."""
    text = json.dumps(recipe.to_dict(), allow_nan=False)
    read = Recipe.from_dict(json.loads(text))
    assert read == recipe
    assert hash(read) == hash(recipe)
    assert json.dumps(read.to_dict()) == text
    assert pickle.loads(pickle.dumps(recipe)) == recipe


def test_absent_keys_take_their_defaults() -> None:
    """An empty table must be the default recipe, a single key must change that key alone."""
    assert Recipe.from_dict({}) == Recipe()
    changed = Recipe.from_dict({"epochs": 3, "augment": [{"kind": "affine", "degrees": 7}]})
    assert changed == dataclasses.replace(Recipe(), epochs=3, augment=(Affine(degrees=7),))


def test_every_key_has_a_rule() -> None:
    """No key but the augmentation steps, which have rules of their own, may go unchecked."""
    assert {*rules_of(Recipe), "augment"} == set(Recipe().to_dict())


@pytest.mark.parametrize("key", NUMBERS)
@pytest.mark.parametrize("value", [True, "3", None, [1], 1 + 0j, float("nan"), 2**70, -1])
def test_every_number_is_checked(key: str, value: object) -> None:
    """What a key does not take must be refused under its name, with the value."""
    with pytest.raises(RecipeError, match=f"^{key}: ") as refusal:
        Recipe.from_dict({key: value})
    assert show(value) in str(refusal.value)


def test_whole_numbers_become_fractions_where_fractions_are_meant() -> None:
    """1 and 1.0 must be one recipe with one text."""
    recipe = Recipe(learning_rate=1, averaging=0)
    assert repr(recipe) == repr(Recipe(learning_rate=1.0, averaging=0.0))
    assert isinstance(recipe.to_dict()["learning_rate"], float)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"optimizer": "lion"}, ["optimizer", '"lion"', "sgd, adam, adamw"]),
        ({"optimizer": "adm"}, ['optimizer: "adm" is not known (did you mean "adam"?)']),
        ({"schedule": 3}, ["schedule", "3", "one-cycle"]),
        ({"schedule": ["step"]}, ["schedule", "['step']"]),
        ({"nesterov": "yes"}, ["nesterov", '"yes"', "true"]),
        ({"normalise": 1}, ["normalise", "1", "true"]),
        ({"nesterov": True}, ["nesterov", '"sgd"', '"adamw"']),
        ({"nesterov": True, "optimizer": "sgd", "momentum": 0}, ["nesterov", "momentum above 0"]),
        ({"learning_rat": 1}, ["learning_rat:", 'did you mean "learning_rate"?']),
        ({"colour": 1}, ["colour: unknown key", "batch_size"]),
        ({3: 1}, ["3", "unknown"]),
        ({"augment": "affine"}, ["augment", '"affine"', "list"]),
        ({"augment": 5}, ["augment", "5", "list"]),
        (
            {"augment": [{"kind": "affine", "degrees": 500}]},
            ["affine.degrees", "500", "180"],
        ),
    ],
)
def test_other_mistakes_are_named(values: dict[Any, Any], words: list[str]) -> None:
    """A refused table must say in one line which key holds what and what would be right."""
    with pytest.raises(RecipeError) as refusal:
        Recipe.from_dict(values)
    message = str(refusal.value)
    assert "\n" not in message
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize("table", [[], "epochs", None, 3])
def test_only_a_table_is_a_recipe(table: Any) -> None:
    """What is not a mapping must be refused as bad input, not as a programming mistake."""
    with pytest.raises(RecipeError, match="table"):
        Recipe.from_dict(table)


@pytest.mark.parametrize("augment", [[Flip()], (Flip(), "flip"), None])
def test_recipes_made_in_code_take_a_tuple_of_steps(augment: Any) -> None:
    """A list would not hash, and text is not a step."""
    with pytest.raises(RecipeError, match="tuple of augmentation steps"):
        Recipe(augment=augment)

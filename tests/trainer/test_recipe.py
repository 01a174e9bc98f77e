from __future__ import annotations

import dataclasses
import json
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.augment import STEP_KINDS, Affine, Flip, Step, step_from_dict
from trainer.errors import RecipeError
from trainer.recipe import BOUNDS, OPTIMIZERS, SCHEDULES, Bound, Recipe

INTEGERS = [key for key, bound in BOUNDS.items() if bound.integer]


def inside(bound: Bound) -> st.SearchStrategy[float]:
    """All numbers that a key takes."""
    if bound.integer:
        return st.integers(int(bound.low), int(bound.high))
    return st.floats(bound.low, bound.high)


def outside(bound: Bound) -> st.SearchStrategy[float]:
    """Numbers of the right type that a key does not take."""
    if bound.integer:
        return st.integers(max_value=int(bound.low) - 1) | st.integers(int(bound.high) + 1)
    below = st.floats(max_value=bound.low, exclude_max=True)
    return below | st.floats(min_value=bound.high, exclude_min=True) | st.just(float("nan"))


def steps() -> st.SearchStrategy[Step]:
    """Steps of every kind with one of their numbers changed or none."""
    tables = [
        {"kind": kind, **({key: spec.high} if spec.kind == "float" else {})}
        for kind, keys in STEP_KINDS.items()
        for key, spec in keys.items()
    ]
    return st.sampled_from(tables).map(step_from_dict)


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    """Any recipe that there can be."""
    values: dict[str, Any] = {key: draw(inside(bound)) for key, bound in BOUNDS.items()}
    values["optimizer"] = draw(st.sampled_from(OPTIMIZERS))
    values["schedule"] = draw(st.sampled_from(SCHEDULES))
    values["normalise"] = draw(st.booleans())
    values["augment"] = tuple(draw(st.lists(steps(), max_size=3)))
    if values["optimizer"] == "sgd" and values["momentum"] > 0:
        values["nesterov"] = draw(st.booleans())
    return Recipe(**values)


@settings(deadline=None)
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


def test_every_number_has_a_bound_and_every_default_is_inside() -> None:
    """The bounds must cover exactly the keys that hold numbers."""
    numbers = {
        key
        for key, value in Recipe().to_dict().items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }
    assert numbers == set(BOUNDS)


@settings(deadline=None)
@given(
    st.sampled_from(list(BOUNDS)).flatmap(lambda key: st.tuples(st.just(key), outside(BOUNDS[key])))
)
def test_a_number_outside_its_range_is_refused(pair: tuple[str, float]) -> None:
    """The message must name key, value and range in one line, however large the value."""
    key, value = pair
    with pytest.raises(RecipeError) as refusal:
        Recipe.from_dict({key: value})
    assert str(refusal.value) == f"{key} = {value!r} is outside {BOUNDS[key]}"


@pytest.mark.parametrize("key", BOUNDS)
@pytest.mark.parametrize("value", [True, "3", None, [1], 1 + 0j])
def test_what_is_no_number_is_refused(key: str, value: object) -> None:
    """Text, truth values and lists must be refused, and the range be named."""
    with pytest.raises(RecipeError) as refusal:
        Recipe.from_dict({key: value})
    message = str(refusal.value)
    assert message.startswith(f"{key} = {value!r} is not a")
    assert message.endswith(str(BOUNDS[key]))


@pytest.mark.parametrize("key", INTEGERS)
def test_whole_numbers_are_no_fractions(key: str) -> None:
    """A key for whole numbers must refuse 3.0 too."""
    with pytest.raises(RecipeError, match="not a whole number from"):
        Recipe.from_dict({key: 3.0})


def test_bounds_print_whole_numbers_in_full() -> None:
    """The greatest seed must be readable digit by digit."""
    assert str(BOUNDS["seed"]) == "0 to 9223372036854775807"
    assert str(BOUNDS["learning_rate"]) == "1e-08 to 100"


def test_whole_numbers_become_fractions_where_fractions_are_meant() -> None:
    """1 and 1.0 must be one recipe with one text."""
    recipe = Recipe(learning_rate=1, averaging=0)
    assert repr(recipe) == repr(Recipe(learning_rate=1.0, averaging=0.0))
    assert isinstance(recipe.to_dict()["learning_rate"], float)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"optimizer": "lion"}, ["optimizer", "'lion'", "sgd, adam, adamw"]),
        ({"schedule": 3}, ["schedule", "3", "one-cycle"]),
        ({"schedule": ["step"]}, ["schedule", "['step']"]),
        ({"nesterov": "yes"}, ["nesterov", "'yes'", "true"]),
        ({"normalise": 1}, ["normalise", "1", "true"]),
        ({"nesterov": True}, ["nesterov", "sgd", "adamw"]),
        ({"nesterov": True, "optimizer": "sgd", "momentum": 0}, ["nesterov", "momentum 0"]),
        ({"learning_rat": 1}, ["'learning_rat'", "did you mean 'learning_rate'?"]),
        ({"colour": 1}, ["'colour'", "batch_size"]),
        ({3: 1}, ["3", "unknown"]),
        ({"augment": "affine"}, ["augment", "'affine'", "list"]),
        ({"augment": 5}, ["augment", "5", "list"]),
        ({"augment": [{"kind": "affine", "degrees": 500}]}, ["degrees", "500", "180"]),
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
    """What is no mapping must be refused as bad input, not as a programming mistake."""
    with pytest.raises(RecipeError, match="table"):
        Recipe.from_dict(table)


@pytest.mark.parametrize("augment", [[Flip()], (Flip(), "flip"), None])
def test_recipes_made_in_code_take_a_tuple_of_steps(augment: Any) -> None:
    """A list would not hash, and text is no step."""
    with pytest.raises(RecipeError, match="tuple of augmentation steps"):
        Recipe(augment=augment)

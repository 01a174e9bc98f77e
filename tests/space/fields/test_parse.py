from __future__ import annotations

import pickle
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from space.errors import FieldError, SpaceError
from space.fields import (
    Choices,
    Field,
    Fixed,
    FloatRange,
    IntRange,
    Kind,
    did_you_mean,
    parse_field,
    show,
)
from tests.space.drawn_spaces import RandomTrial, dropouts, one_or_more, whole

seeds = st.integers(0, 2**32)


def read(raw: object, kind: Kind = "int", **limits: object) -> Field:
    """Read one field under some key."""
    return parse_field(raw, key="space.width", kind=kind, **limits)  # type: ignore[arg-type]


def fields() -> st.SearchStrategy[Field]:
    """Make a field of any kind and form."""
    return st.one_of(
        whole(0, 40).map(read),
        dropouts().map(lambda raw: read(raw, "float")),
        one_or_more(["max", "avg"]).map(lambda raw: read(raw, "str")),
        one_or_more([True, False]).map(lambda raw: read(raw, "bool")),
        st.just(FloatRange(0.1, 0.7, 0.2)),
    )


@pytest.mark.parametrize(
    ("raw", "kind", "field"),
    [
        (16, "int", Fixed(16)),
        (0.5, "float", Fixed(0.5)),
        (1, "float", Fixed(1.0)),
        ("relu", "str", Fixed("relu")),
        (False, "bool", Fixed(False)),
        ([8, 16], "int", Choices((8, 16))),
        ({"choices": [8, 16]}, "int", Choices((8, 16))),
        ([3], "int", Choices((3,))),
        ({"low": 4, "high": 32}, "int", IntRange(4, 32)),
        ({"low": 4, "high": 32, "step": 4}, "int", IntRange(4, 32, 4)),
        ({"low": 4, "high": 32, "log": True}, "int", IntRange(4, 32, 1, True)),
        ({"low": 0, "high": 1}, "float", FloatRange(0.0, 1.0)),
        ({"low": 0.1, "high": 0.4, "step": 0.1}, "float", FloatRange(0.1, 0.4, 0.1)),
        ({"low": 3e-3, "high": 5e-2, "log": True}, "float", FloatRange(3e-3, 5e-2, None, True)),
    ],
)
def test_forms(raw: object, kind: Kind, field: Field) -> None:
    """A field is a value, a list or a table, and each form reads as its own kind of value."""
    assert read(raw, kind) == field


@pytest.mark.parametrize(
    ("raw", "kind", "message"),
    [
        ({"low": 32, "high": 4}, "int", "low 32 is above high 4; swap them"),
        ({"low": 4}, "int", 'the range lacks "high"'),
        ({}, "int", 'the range lacks "low"'),
        ({"low": 1, "hihg": 4}, "int", 'unknown key "hihg" (did you mean "high"?)'),
        ({"low": 0, "high": 4, "log": True}, "int", "low 0 cannot be on a log scale"),
        ({"low": 1, "high": 4, "log": 1}, "int", "log 1 is not true or false"),
        ({"low": 1, "high": 4, "log": True, "step": 1}, "int", "step and log exclude each other"),
        ({"low": 4, "high": 30, "step": 4}, "int", "step 4 leads from 4 to 28, not to 30"),
        ({"low": 0.0, "high": 1.0, "step": 0.3}, "float", "leads from 0.0 to 0.9, not to 1.0"),
        ({"low": 4, "high": 30, "step": 0}, "int", "step 0 is not above 0"),
        ({"low": 4, "high": 30, "step": 1.0}, "int", "step 1.0 is not a whole number; write 1"),
        ({"low": True, "high": 4}, "int", "low true is not a whole number"),
        ({"choices": [1], "low": 4}, "int", '"choices" and "low" exclude each other'),
        ({"choices": 4}, "int", "choices 4 is not a list"),
        ({"low": 0, "high": 1}, "bool", "not a range"),
        ({"low": 0, "high": 1}, "str", "not a range"),
        ([], "int", "the list is empty"),
        ([8, 8], "int", "choice 8 comes twice"),
        ([1, 1.0], "float", "choice 1.0 comes twice"),
        ([8, [9]], "int", "choice [9] is not a whole number"),
        (3.0, "int", "3.0 is not a whole number; write 3"),
        (True, "int", "true is not a whole number"),
        (True, "float", "true is not a finite number"),
        (1, "bool", "1 is not true or false"),
        (1, "str", "1 is not a text in quotes"),
        ("8", "int", '"8" is not a whole number'),
        (nan, "float", "nan is not a finite number"),
        (inf, "float", "inf is not a finite number"),
        (10**400, "float", "is not a finite number"),
        (None, "int", "None is not a whole number"),
    ],
)
def test_refusals(raw: object, kind: Kind, message: str) -> None:
    """What is not a field is refused with its key, the value and the way out."""
    with pytest.raises(FieldError) as caught:
        read(raw, kind)
    assert caught.value.key == "space.width"
    assert message in caught.value.message
    assert str(caught.value).startswith("space.width: ")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (0, "0 is too small; give at least 1"),
        (10, "10 is too large; give at most 9"),
        ([3, 11], "choice 11 is too large"),
        ({"low": 0, "high": 3}, "low 0 is too small"),
        ({"low": 1, "high": 99}, "high 99 is too large"),
        (4, "4 is not allowed; the nearest allowed values: 3, 5"),
        ({"low": 3, "high": 5}, "the range's 4 is not allowed"),
    ],
)
def test_limits(raw: object, message: str) -> None:
    """Values outside the limits are refused, wherever in the field they stand."""
    allowed = frozenset({1, 3, 5, 7, 9})
    with pytest.raises(FieldError, match=message):
        read(raw, low=1, high=9, allowed=allowed)
    assert read({"low": 3, "high": 7, "step": 2}, low=1, high=9, allowed=allowed).count() == 3


def test_text_outside_the_allowed_is_refused_with_the_nearest() -> None:
    """A misspelt word gets the list of words and the one that was probably meant."""
    with pytest.raises(FieldError, match=r'give one of "same", "valid" \(did you mean "same"\?\)'):
        read("sme", "str", allowed=("same", "valid"))


@given(fields(), seeds)
def test_a_fixed_field_asks_nothing_and_others_once(field: Field, seed: int) -> None:
    """A trial is asked once under the name, with a value of the field; for a fixed one never."""
    trial = RandomTrial(seed)
    value = field.suggest(trial, "name")
    assert trial.asked == ({} if isinstance(field, Fixed) else {"name": value})
    if not isinstance(value, str):
        assert field.minimum <= value <= field.maximum
    if field.count() is not None and not isinstance(field, FloatRange):
        assert value in field.values()


@given(fields())
def test_values_agree_with_count_and_ends(field: Field) -> None:
    """A finite field lists as many different values as it counts, from minimum to maximum."""
    count = field.count()
    if count is None:
        with pytest.raises(TypeError, match="continuous"):
            field.values()
        return
    values = list(field.values())
    assert len(values) == len(set(values)) == count
    if isinstance(values[0], str):
        with pytest.raises(TypeError, match="text"):
            _ = field.minimum
    else:
        numbers = [value for value in values if not isinstance(value, str)]
        assert (min(numbers), max(numbers)) == (field.minimum, field.maximum)


def test_steps_are_those_that_the_file_spells() -> None:
    """Steps of tenths stay tenths, free of binary rounding."""
    assert FloatRange(0.1, 0.7, 0.2).values() == (0.1, 0.3, 0.5, 0.7)


def test_a_field_error_survives_pickling() -> None:
    """A field error that crosses processes keeps its key and message."""
    error = pickle.loads(pickle.dumps(FieldError("space.width", "is wrong")))
    assert isinstance(error, SpaceError)
    assert (error.key, error.message) == ("space.width", "is wrong")


def test_words_for_messages() -> None:
    """Values are shown as a study file spells them; hints come only where a word is close."""
    assert [show(value) for value in (True, "a", 3, 0.5)] == ["true", '"a"', "3", "0.5"]
    assert did_you_mean("widht", ["width", "head"]) == ' (did you mean "width"?)'
    assert did_you_mean("zzz", ["width", "head"]) == ""

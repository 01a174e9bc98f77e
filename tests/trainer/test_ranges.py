from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.errors import RecipeError
from trainer.ranges import Choice, Flag, Range, check_fields, check_keys, rules_of

WHOLE, FRACTION = Range(-3, 2**63 - 1, whole=True), Range(1e-8, 100.0)


def refusal(rule: Range | Choice | Flag, value: object) -> str:
    """The one line with which a rule refuses a value of the key ``key``."""
    with pytest.raises(RecipeError) as caught:
        rule.check("key", value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@given(st.integers())
def test_whole_numbers_are_taken_inside_the_range_only(value: int) -> None:
    """However large a number, it must come back as it is or be refused with the end it passed."""
    if value < -3:
        assert refusal(WHOLE, value) == f"key: {value} is too small; give at least -3"
    elif value >= 2**63:
        assert refusal(WHOLE, value) == f"key: {value} is too large; give at most {2**63 - 1}"
    else:
        assert WHOLE.check("key", value) == value


@given(st.floats() | st.integers())
def test_numbers_become_floats_inside_the_range_only(value: float) -> None:
    """A number must come back as a float, or be refused with the end that it passed."""
    if 1e-8 <= value <= 100:
        checked = FRACTION.check("key", value)
        assert (checked, type(checked)) == (value, float)
    else:
        assert refusal(FRACTION, value) in (
            f"key: {value} is too small; give at least 1e-08",
            f"key: {value} is too large; give at most 100",
            f"key: {value} is not a finite number; give one from 1e-08 to 100",
        )


@pytest.mark.parametrize(
    ("rule", "value", "message"),
    [
        (WHOLE, 2.5, f"key: 2.5 is not a whole number; give one from -3 to {2**63 - 1}"),
        (Range(1, 9, whole=True), 3.0, "key: 3.0 is not a whole number; give one from 1 to 9"),
        (WHOLE, True, f"key: true is not a whole number; give one from -3 to {2**63 - 1}"),
        (FRACTION, "7", 'key: "7" is not a number; give one from 1e-08 to 100'),
        (FRACTION, [7, 9], "key: [7, 9] is not a number; give one from 1e-08 to 100"),
        (FRACTION, 10**400, f"key: {10**400} is too large; give at most 100"),
        (Choice(("sgd", "adam")), "adm", 'key: "adm" is not known (did you mean "adam"?); '),
        (Choice(("sgd", "adam")), 3, "key: 3 is not known; give one of sgd, adam"),
        (Choice(("sgd", "adam")), ["sgd"], "key: ['sgd'] is not known"),
        (Choice(("sgd",)), "a\nb", r'key: "a\nb" is not known; give one of sgd'),
        (Flag(), 1, "key: 1 is not true or false"),
        (Flag(), "yes", 'key: "yes" is not true or false'),
    ],
)
def test_refusals_name_key_value_and_way_out(rule: Any, value: object, message: str) -> None:
    """A refused value must be named with its key and what to give instead."""
    assert refusal(rule, value).startswith(message)


def test_words_and_flags_come_back_as_they_are() -> None:
    """What a rule takes must not be changed."""
    assert Choice(("sgd", "adam")).check("key", "adam") == "adam"
    assert Flag().check("key", False) is False


@dataclass(frozen=True)
class Table:
    """A table of two keys, one of them without a rule."""

    rate: Annotated[float, Range(0.0, 1.0)] = 0
    note: str = ""

    def __post_init__(self) -> None:
        check_fields(self, "table.")


def test_a_dataclass_is_held_to_its_annotations() -> None:
    """Each annotated field must be checked and given its type, under its full name."""
    assert dict(rules_of(Table)) == {"rate": Range(0.0, 1.0)}
    assert isinstance(Table(rate=1).rate, float)
    with pytest.raises(RecipeError, match=r"^table\.rate: 2 is too large; give at most 1$"):
        Table(rate=2)


def test_unknown_keys_are_refused_with_the_nearest() -> None:
    """A misspelled key must be answered with what was meant, any other with all keys."""
    check_keys(["rate", "note"], ["rate", "note"])
    with pytest.raises(RecipeError) as caught:
        check_keys(["rates"], ["rate", "note"], "table.")
    wanted = 'table.rates: unknown key (did you mean "rate"?); give one of rate, note'
    assert str(caught.value) == wanted
    with pytest.raises(RecipeError, match=r'"a\\nb": unknown key; give one of rate'):
        check_keys(["a\nb"], ["rate"])

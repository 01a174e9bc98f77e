from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from space.errors import FieldError, LayerError
from space.fields import out_of_range, parse_field, too_large, too_small
from space.layers import Layer

limits = st.none() | st.integers(-9, 9)


@given(st.integers(-20, 20), limits, limits)
def test_only_what_is_outside_is_complained_about(
    value: int, least: int | None, most: int | None
) -> None:
    """A complaint names the value and the limit that it breaks; within the limits there is none."""
    wrong = out_of_range(value, least, most)
    if least is not None and value < least:
        assert wrong == too_small(value, least)
        assert str(value) in wrong
        assert str(least) in wrong
    elif most is not None and value > most:
        assert wrong == too_large(value, most)
        assert str(value) in wrong
        assert str(most) in wrong
    else:
        assert wrong == ""


def test_words_and_fields_complain_alike() -> None:
    """A number that is out of range is refused in the same words in a line and in a study file."""
    with pytest.raises(LayerError) as word:
        Layer.parse("conv3 70000")
    with pytest.raises(FieldError) as field:
        parse_field(70000, key="space.width", kind="int", low=1, high=65536)
    complaint = too_large(70000, 65536)
    assert str(word.value).endswith(complaint)
    assert str(field.value) == f"space.width: {complaint}"

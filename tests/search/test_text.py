from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.text import percent, plural


@given(st.floats(0, 1))
def test_a_share_is_per_cent_with_two_decimals(share: float) -> None:
    """What is shown differs from the share by at most half of the last decimal."""
    number, unit = percent(share).split(" ")
    assert unit == "%"
    assert len(number.partition(".")[2]) == 2
    assert float(number) == pytest.approx(100 * share, abs=0.005 + 1e-9)


def test_no_share_is_a_dash() -> None:
    """What has not been measured is not shown as 0."""
    assert percent(None) == "-"


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 seeds"), (1, "1 seed"), (2, "2 seeds"), (1000, "1,000 seeds")]
)
def test_a_count_agrees_with_its_noun(count: int, words: str) -> None:
    """One thing is singular, any other number plural."""
    assert plural(count, "seed") == words

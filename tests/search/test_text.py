from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.text import byte_size, percent, plural


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


def test_sizes_have_a_unit_and_at_most_one_decimal() -> None:
    """Bytes are counted below 1 KiB; above, a size is given in the unit that keeps it short."""
    sizes = {0: "0 bytes", 1: "1 byte", 1023: "1,023 bytes", 1024: "1.0 KiB", 32_256: "31.5 KiB"}
    sizes |= {1024**2 - 1: "1.0 MiB", 5 * 1024**3: "5.0 GiB", 5000 * 1024**3: "5,000.0 GiB"}
    assert {count: byte_size(count) for count in sizes} == sizes

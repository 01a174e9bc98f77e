from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.statistics import Spread


@given(st.lists(st.floats(0, 1), min_size=2, max_size=9))
def test_mean_and_deviation_are_those_of_a_sample(values: list[float]) -> None:
    """They agree with NumPy's, with n - 1 degrees of freedom."""
    found = Spread.of(iter(values))
    assert found.n == len(values)
    assert found.mean == pytest.approx(np.mean(values))
    assert found.deviation == pytest.approx(np.std(values, ddof=1), abs=1e-12)


def test_a_single_run_has_no_deviation() -> None:
    """Nothing is said of how far runs lie apart where there is only one."""
    assert Spread.of([0.5]) == Spread(0.5, None, 1)
    assert Spread.of([0.5]).deviation_text() == ""


def test_the_deviation_is_shown_in_the_unit_of_its_mean() -> None:
    """Accuracies are shown in per cent by default, seconds as they are."""
    assert Spread(0.5, 0.0123, 2).deviation_text() == " ± 1.23"
    assert Spread(12.0, 0.0123, 2).deviation_text(1.0) == " ± 0.01"


def test_nothing_has_no_spread() -> None:
    """A mean of at least one value is refused."""
    with pytest.raises(ValueError, match="at least one value"):
        Spread.of([])

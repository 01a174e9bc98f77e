from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from search.statistics import Spread, rank_correlation


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


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=12))
def test_rank_correlation_is_that_of_scipy(pairs: list[tuple[int, int]]) -> None:
    """Ranks with ties correlate as in SciPy; where one figure never changes there is no answer."""
    first, second = zip(*pairs, strict=True)
    found = rank_correlation(first, second)
    if len(set(first)) == 1 or len(set(second)) == 1:
        assert found is None
    else:
        assert found == pytest.approx(float(spearmanr(first, second).statistic))

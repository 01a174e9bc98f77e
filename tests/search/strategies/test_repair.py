from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, IntDistribution

from search.strategies.genes import Genes
from search.strategies.problem import Problem, Proposal
from search.strategies.repair import is_full, repaired
from tests.search.strategies.problems import DISTRIBUTIONS, WIDTHS, small_problem


@given(st.integers(0, 10**6), st.integers(200, 20_000), st.sets(st.sampled_from(WIDTHS)))
def test_only_widths_move_and_stay_in_their_ranges(seed: int, limit: int, keep: set[str]) -> None:
    """Other parameters are as before, and every width is one of its distribution."""
    problem, genes = small_problem(limit), Genes(DISTRIBUTIONS)
    params = genes.draw(np.random.default_rng(seed))
    found, proposal = repaired(problem, params, keep)
    assert genes.hold(found)
    assert {name for name in params if found[name] != params[name]} <= set(WIDTHS)
    assert proposal == problem.describe(found)


@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.integers(0, 5), st.integers(1, 3)), min_size=1, max_size=3
    ),
    st.integers(1, 400),
    st.data(),
)
def test_a_candidate_ends_full_if_any_setting_of_its_widths_is(
    ranges: list[tuple[int, int, int]], limit: int, data: st.DataObject
) -> None:
    """Against all settings tried in turn: 93 to 100 % wherever one of them is there."""
    spread = {
        f"w{i}": IntDistribution(low, low + count * step, step=step)
        for i, (low, count, step) in enumerate(ranges)
    }

    def describe(params: Mapping[str, Any]) -> Proposal:
        widths = [params[name] for name in spread]
        cost = sum(a * b for a, b in zip([params["area"], *widths], widths, strict=False))
        return Proposal(str(params), cost <= limit, cost / limit)

    problem = Problem(
        {**spread, "area": CategoricalDistribution([1, 9])}, describe, tuple(spread), trials=1
    )
    values = {name: range(each.low, each.high + 1, each.step) for name, each in spread.items()}
    params = {name: data.draw(st.sampled_from(values[name])) for name in spread} | {"area": 9}
    settings = [
        dict(zip(spread, chosen, strict=True)) | {"area": 9} for chosen in product(*values.values())
    ]
    found, proposal = repaired(problem, params)
    assert is_full(proposal) == any(is_full(describe(each)) for each in settings)
    assert proposal.fits == any(describe(each).fits for each in settings)
    assert found["area"] == 9


def test_a_kept_width_stays_if_the_others_suffice() -> None:
    """The gene that a mutation has just changed is not changed back by the repair."""
    params = {"first": 8, "second": 32, "third": 3, "kernel": 3, "rate": 0.01, "drop": 0.0}
    assert not is_full(small_problem().describe(params))
    for name in ("first", "second"):
        found, proposal = repaired(small_problem(), params, keep={name})
        assert found[name] == params[name]
        assert is_full(proposal)


@pytest.mark.parametrize("fill", [0.0, float("inf"), 0.5, 2.0])
def test_nothing_moves_where_nothing_can_be_repaired(fill: float) -> None:
    """Without limits, where maps vanish, and where the study wants no repair."""
    repair = fill in (0.0, float("inf"))
    problem = Problem(
        DISTRIBUTIONS, lambda params: Proposal("", fill <= 1, fill), WIDTHS, 1, repair=repair
    )
    params = Genes(DISTRIBUTIONS).draw(np.random.default_rng(1))
    assert repaired(problem, params)[0] == params

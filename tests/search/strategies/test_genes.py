from __future__ import annotations

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import BaseDistribution, IntDistribution

from search.strategies.genes import Genes, contains
from tests.search.strategies.problems import distributions

# A step that does not divide its range by a rounding error is what a study file may have.
pytestmark = pytest.mark.filterwarnings("ignore:.*not divisible by `step`")

spaces = st.dictionaries(st.sampled_from("abcdef"), distributions(), min_size=1)
seeds = st.integers(0, 2**32 - 1)


def _held_by_optuna(space: dict[str, BaseDistribution], params: dict[str, object]) -> bool:
    """Whether Optuna lets a trial with these parameters be made."""
    optuna.create_trial(params=params, distributions=space, value=0.0)
    return params.keys() == space.keys()


@given(spaces, seeds)
def test_draws_and_mutants_are_within_the_distributions(
    space: dict[str, BaseDistribution], seed: int
) -> None:
    """What is drawn and what is changed is held by Optuna and by ``hold``, over generations."""
    genes, rng = Genes(space), np.random.default_rng(seed)
    params = genes.draw(rng)
    for _ in range(5):
        assert _held_by_optuna(space, params)
        assert genes.hold(params)
        params, _ = genes.mutate(params, rng)


@given(spaces, seeds)
def test_a_mutant_differs_in_the_genes_it_names(
    space: dict[str, BaseDistribution], seed: int
) -> None:
    """One or two genes change, those that are named, unless every gene has one value alone."""
    genes, rng = Genes(space), np.random.default_rng(seed)
    parent = genes.draw(rng)
    mutant, names = genes.mutate(parent, rng)
    assert {name for name in space if mutant[name] != parent[name]} == names
    free = sum(not each.single() for each in space.values())
    assert min(1, free) <= len(names) <= min(2, free)


@given(spaces, seeds)
def test_equal_genes_are_equal_numbers(space: dict[str, BaseDistribution], seed: int) -> None:
    """The numbers lie from 0 to 1, and differ where a gene differs."""
    genes, rng = Genes(space), np.random.default_rng(seed)
    parent = genes.draw(rng)
    numbers = genes.encode(parent)
    assert ((numbers >= -1e-9) & (numbers <= 1 + 1e-9)).all()
    mutant, names = genes.mutate(parent, rng)
    assert (genes.encode(mutant) != numbers).any() == bool(names)


@pytest.mark.parametrize("value", [0, 11, 4, "5", None])
def test_what_a_distribution_does_not_have_is_not_held(value: object) -> None:
    """Values outside the range, between the steps, and of another type are none of it."""
    assert not contains(IntDistribution(1, 9, step=2), value)

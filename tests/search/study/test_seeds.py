from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from search.study.seeds import confirm_seed, sampler_seed, training_seed
from trainer.recipe import Recipe

_NUMBERS = st.integers(0, 2**31)


@given(_NUMBERS, st.integers(0, 64), _NUMBERS)
def test_sampler_seeds_differ(seed: int, worker: int, stored: int) -> None:
    """Another worker, another number of stored trials and another study each change the seed."""
    own = sampler_seed(seed, worker, stored)
    assert own == sampler_seed(seed, worker, stored)
    others = {
        sampler_seed(seed, worker + 1, stored),
        sampler_seed(seed, worker, stored + 1),
        sampler_seed(seed + 1, worker, stored),
    }
    assert own not in others
    assert 0 <= own < 2**32


@given(_NUMBERS, _NUMBERS)
def test_training_seeds_fit_a_recipe(seed: int, trial: int) -> None:
    """A training seed is one that a recipe takes, and another for the next trial."""
    own = training_seed(seed, trial)
    assert Recipe(seed=own).seed == own
    assert own not in (training_seed(seed, trial + 1), training_seed(seed + 1, trial))


@given(_NUMBERS, st.integers(1, 100), st.integers(0, 100))
def test_confirm_seeds_are_of_their_own(seed: int, ordinal: int, repeat: int) -> None:
    """A confirm retrains with seeds that no trial of the search and no other repeat has."""
    own = confirm_seed(seed, ordinal, repeat)
    assert Recipe(seed=own).seed == own
    others = {confirm_seed(seed, ordinal + 1, repeat), confirm_seed(seed, ordinal, repeat + 1)}
    assert own not in others | {training_seed(seed, trial) for trial in range(20)}

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from space.architecture import Architecture
from space.deployed.cost import deployed_cost
from space.deployed.flash import CORES
from space.errors import ShapeError
from space.search_space import SearchSpace
from tests.space.drawn_spaces import RandomTrial
from tests.space.strategies import architectures


@given(architectures())
def test_what_a_chip_holds(architecture: Architecture) -> None:
    """The arena holds image and logits, cores differ in code alone, and the count is repeatable."""
    found = {core: deployed_cost(architecture, core) for core in CORES}
    assert len({(each.ram, each.constants) for each in found.values()}) == 1
    first = found[CORES[0]]
    channels, height, width = architecture.input_shape
    assert first.ram >= max(channels * height * width, architecture.classes)
    assert first == deployed_cost(architecture, CORES[0])
    assert all(each.flash > each.constants > 0 for each in found.values())


@given(st.integers(0, 10**6))
def test_the_bound_is_below_every_candidate(seed: int) -> None:
    """No candidate of a space takes less of a chip than the space's lower bound."""
    section = {
        "width": {"low": 2, "high": 24},
        "stages": [1, 2, 3],
        "convs": {"low": 1, "high": 3},
        "block": ["conv", "separable"],
        "padding": ["same", "valid"],
        "pool": ["max", "avg", "stride"],
        "head": ["conv-gap", "gap", "full-conv"],
        "norm_scale": [True, False],
    }
    space = SearchSpace.from_section(section, input_shape=(1, 28, 28), classes=10)
    bound = space.lower_bound()
    architecture = space.suggest(RandomTrial(seed)).architecture
    try:
        found = deployed_cost(architecture)
    except ShapeError:
        assume(False)
    assert bound.ram <= found.ram
    assert bound.flash <= found.constants
    assert bound.ram >= 784
    assert bound.flash > 0

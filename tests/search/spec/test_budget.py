from __future__ import annotations

from dataclasses import replace
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.spec.budget import Budget, assess, bound_problems
from search.spec.canonical import differences
from space.architecture import Architecture
from space.cost import cost
from space.deployed.cost import COST_MODEL, deployed_cost
from space.deployed.flash import CORES, least_code
from space.layers import Layer
from space.layers.operations import Convolution, Linear
from space.search_space import SearchSpace
from tests.space.strategies import architectures

KEYS = ["activation", "macs", "parameters", "shape"]
_LIMITS = st.none() | st.integers(1, 10**6)


def _lines(*texts: str, side: int = 8) -> Architecture:
    return Architecture((1, side, side), tuple(map(Layer.parse, texts)))


@given(st.integers(1, 64), _LIMITS, _LIMITS, st.none() | st.floats(0.1, 1e4))
def test_constraints_are_logarithms_of_value_over_limit(
    width: int, parameters: int | None, macs: int | None, kib: float | None
) -> None:
    """Every key is there in one order, an unset limit counts 0, and fitting is value <= limit."""
    architecture = _lines(f"conv3 {width} relu", "gap", "linear 10")
    price = cost(architecture)
    found = assess(architecture, Budget(parameters, macs, kib))
    limits = {"activation": kib, "macs": macs, "parameters": parameters}
    values = {
        "activation": price.activation_kib,
        "macs": price.macs,
        "parameters": price.parameters,
    }
    assert list(found.constraints) == KEYS
    assert found.constraints["shape"] == 0
    for key, limit in limits.items():
        expected = 0.0 if limit is None else log(values[key] / limit)
        assert found.constraints[key] == pytest.approx(expected)
    fits = all(limit is None or values[key] <= limit for key, limit in limits.items())
    assert found.fits == fits
    assert bool(found.reason) != fits


def test_the_limit_itself_fits() -> None:
    """A candidate that has just the parameters of the budget is not over it."""
    architecture = _lines("conv3 8 relu", "gap", "linear 10")
    exact = cost(architecture).parameters
    assert assess(architecture, Budget(exact, None, None)).fits
    over = assess(architecture, Budget(exact - 1, None, None))
    assert not over.fits
    assert f"{exact} parameters" in over.reason


def test_vanished_maps_have_no_cost() -> None:
    """A candidate whose maps vanish is over by its shape, with the same keys as any other."""
    found = assess(_lines("conv3 8", "maxpool2", "conv5 8", "gap", "linear 10"), Budget(10, 10, 1))
    assert found.cost is None
    assert list(found.constraints) == KEYS
    assert found.constraints["shape"] > 0
    assert all(found.constraints[key] == 0 for key in KEYS[:3])
    assert "conv5" in found.reason


CHIP = Budget(ram_kib=4.0, flash_kib=8.0)


def test_limits_of_a_chip() -> None:
    """RAM and flash are counted of the network as its C code holds it, and named if too large."""
    small = Architecture.parse(["conv3 4 stride2 relu", "gap", "linear 10"])
    large = Architecture.parse(["conv3 32 relu", "conv3 32 relu", "gap", "linear 10"])
    fits, over = assess(small, CHIP), assess(large, CHIP)
    assert fits.fits
    assert not over.fits
    deployed = deployed_cost(large)
    assert over.values()["ram_kib"] == deployed.ram / 1024
    assert over.values()["flash_kib"] == deployed.flash / 1024
    assert list(over.constraints)[-2:] == ["ram", "flash"]
    assert f"{deployed.ram / 1024:g} KiB of RAM" in over.reason
    assert "KiB of flash" in over.reason
    assert fits.constraints.keys() == over.constraints.keys()
    assert "ram" not in assess(small, Budget(parameters=100)).constraints


@given(architectures())
def test_every_network_is_within_its_own_cost(architecture: Architecture) -> None:
    """A network fits limits that are exactly what it takes, and no smaller ones."""
    deployed = deployed_cost(architecture)
    exact = Budget(ram_kib=deployed.ram_kib, flash_kib=deployed.flash_kib)
    assert assess(architecture, exact).fits
    assert not assess(architecture, replace(exact, ram_kib=deployed.ram_kib * 0.999)).fits
    assert not assess(architecture, replace(exact, flash_kib=deployed.flash_kib * 0.999)).fits


def test_a_study_keeps_its_count() -> None:
    """A study that begins names the version of the count, where it needs one, and keeps it."""
    begun = CHIP.as_begun()
    assert begun.to_dict() == {"ram_kib": 4.0, "flash_kib": 8.0, "cost_model": COST_MODEL}
    assert begun.as_begun() == begun
    assert begun.limits() == CHIP.limits()
    assert Budget(parameters=100).as_begun().to_dict() == {"parameters": 100}
    stored = {"budget": begun.to_dict()}
    assert not differences(stored, {"budget": CHIP.to_dict()})
    older = {"budget": {**CHIP.to_dict(), "cost_model": 7}}
    assert differences(stored, older) == ("budget.cost_model: was 1, now 7",)


def test_what_int8_cannot_hold_is_rejected() -> None:
    """Under a chip's limits a network that int8 cannot compute is rejected, and says why."""
    large = Architecture.parse(["linear 2"], (8, 100, 100))
    found = assess(large, Budget(ram_kib=1_000, flash_kib=1_000))
    assert not found.fits
    assert "80,000 products, too many for the arithmetic of int8" in found.reason
    assert assess(large, Budget(parameters=200_000)).fits


def test_a_chip_that_no_network_fits() -> None:
    """Limits below every candidate of a space are refused before anything is drawn."""
    section = {"layers": ["conv3 {a} relu", "maxpool2", "gap", "linear 10"], "a": [8, 16]}
    space = SearchSpace.from_section(section, input_shape=(1, 28, 28), classes=10)
    ram, flash = bound_problems(space, Budget(ram_kib=0.5, flash_kib=0.25).to_dict())
    assert ram.key == "budget.ram_kib"
    assert "KiB of RAM, but the budget is 0.5; raise the budget" in ram.message
    assert flash.key == "budget.flash_kib"
    assert not list(bound_problems(space, Budget(ram_kib=4, flash_kib=8).to_dict()))


@given(architectures(), st.sampled_from(CORES))
def test_no_network_has_less_than_the_least_code(architecture: Architecture, core: str) -> None:
    """The code of any network with a layer that has weights is at least what the bound takes."""
    operations = [layer.operation for layer in architecture.layers]
    if any(isinstance(each, Convolution | Linear) for each in operations):
        assert deployed_cost(architecture, core).code >= least_code(core)


def test_the_code_alone_may_be_too_much() -> None:
    """A limit that the code of every network exceeds is refused, for the core that is meant."""
    space = SearchSpace.from_section(
        {"layers": ["gap", "linear 2"]}, input_shape=(1, 8, 8), classes=2
    )
    between = (least_code("cortex-m4") + least_code("cortex-m0")) / 2 / 1024
    assert least_code("cortex-m4") < least_code("cortex-m0")
    limits = {"flash_kib": between + 0.02}
    assert not list(bound_problems(space, limits))
    (problem,) = bound_problems(space, {**limits, "core": "cortex-m0"})
    assert problem.key == "budget.flash_kib"


def test_limits_in_words_leave_none_out() -> None:
    """Several limits on parameters and a limit on memory are all said, with every digit."""
    both = Budget(parameters=(1_000, 8_000), macs=1_234_567, activation_kib=2.5)
    words = both.limits_text()
    assert "parameters 1,000 or 8,000" in words
    assert "macs 1,234,567" in words
    assert "activation_kib 2.5" in words

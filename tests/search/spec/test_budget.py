from __future__ import annotations

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.spec.budget import Budget, assess
from space.architecture import Architecture
from space.cost import cost
from space.layers import Layer

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

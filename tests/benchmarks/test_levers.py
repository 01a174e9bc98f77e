from __future__ import annotations

import pytest

from space import Architecture, cost
from tests.benchmarks.levers import ARMS, SHORT, table
from trainer.recipe import Recipe


@pytest.mark.parametrize("name", ARMS)
def test_every_arm_can_be_trained(name: str) -> None:
    """Each arm is a network of few parameters with a valid recipe, and its base is an arm."""
    arm = ARMS[name]
    assert cost(Architecture.parse(arm.network)).parameters < 4_100
    Recipe.from_dict({**SHORT.to_dict(), **arm.keys})
    assert ARMS[arm.base].base == arm.base


def test_differences_are_of_pairs() -> None:
    """Seeds that one of the two arms lacks are left out of the difference, not of the mean."""
    rows = [
        {"arm": arm, "seed": seed, "mean": mean, "parameters": 670, "cpu_seconds": 2.0}
        for arm, seed, mean in (
            ("base", 1, 0.90),
            ("base", 2, 0.92),
            ("tail", 1, 0.93),
            ("tail", 2, 0.94),
            ("tail", 3, 0.98),
        )
    ]
    lines = list(table(rows))
    assert lines[2] == "| base | 670 | 2 | 91.00 ± 1.41 |  | 2.0 |"
    assert lines[3] == "| tail | 670 | 3 | 95.00 ± 2.65 | +2.50 ± 0.50 | 2.0 |"

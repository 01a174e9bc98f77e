"""A search space as a template: a skeleton of layers with holes, and what fills them.

Nothing is trained: what a candidate costs follows from its layers alone.

    python examples/template_space.py
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import flyweight

SPACE = {
    "layers": [
        "conv3 {a} bn relu",
        "conv3 {b} bn relu",
        "maxpool2",
        "conv{k} {c} bn relu",
        "gap",
        "linear 10",
    ],
    "a": {"low": 4, "high": 12},
    "b": {"low": 8, "high": 24, "step": 4},
    "c": [16, 24, 32],
    "k": [1, 3],
}
BUDGET = 5_000


class RandomTrial:
    """A trial that draws at random; a trial of Optuna has the same methods."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        """Draw a whole number from low to high."""
        return self._random.randrange(low, high + 1, step)

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Draw a number from low to high."""
        return self._random.uniform(low, high)

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Draw one of the choices."""
        return self._random.choice(choices)


def main() -> None:
    """Draw ten candidates, show what each costs, and build the largest that fits."""
    space = flyweight.SearchSpace.from_section(SPACE, input_shape=(1, 28, 28), classes=10)
    least = space.lower_bound()
    print(f"{space.size()} networks, all with {least.parameters} parameters or more")

    candidates = {space.suggest(RandomTrial(seed)).architecture for seed in range(10)}
    costs = {candidate: flyweight.cost(candidate) for candidate in candidates}
    for cost in sorted(costs.values(), key=lambda cost: cost.parameters):
        fits = "fits" if cost.parameters <= BUDGET else "over the budget"
        print(
            f"{cost.parameters:>6} parameters {cost.macs:>9} MACs "
            f"{cost.activation_kib:>6.1f} KiB of activations  {fits}"
        )

    fitting = [candidate for candidate, cost in costs.items() if cost.parameters <= BUDGET]
    largest = max(fitting, key=lambda candidate: costs[candidate].parameters)
    network = flyweight.build(largest)
    print(f"the largest that fits, {sum(p.numel() for p in network.parameters())} parameters:")
    print(largest)


if __name__ == "__main__":
    main()

"""How well the samplers choose on made-up landscapes, whose best candidate is known.

A landscape has 12 ordered parameters of 5 levels. 30 % of its variance comes from pairs of
parameters. Candidates differ with a standard deviation of 0.05, seeds of a candidate by as much,
and six folds by 0.02. What is chosen is the candidate with the best posterior mean.

    python -m tests.benchmarks.toy_landscape
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import optuna
from optuna.distributions import IntDistribution
from optuna.trial import Trial

from search.statistics import Spread
from search.strategies.archive import posterior_of
from search.strategies.problem import Problem, Proposal
from search.strategies.samplers import SAMPLERS, make_sampler
from tests.benchmarks.options import positive, run_command

__all__ = ["Landscape", "chosen_gain"]

GENES, LEVELS, FOLDS = 12, 5, 6
DEVIATION, SEEDS, DIFFICULTY, PAIRS = 0.05, 0.05, 0.02, 0.3
TOP = 0.11
"""No candidate is better than the average by more."""


class Landscape:
    """What each candidate is worth, in points above the average candidate.

    Args:
        seed: decides everything.
    """

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._single = _smooth(rng.standard_normal((GENES, LEVELS)))
        count = GENES * (GENES - 1) // 2
        self._pairs = rng.standard_normal((count, LEVELS, LEVELS))
        self._left, self._right = np.triu_indices(GENES, 1)
        self.folds = DIFFICULTY * rng.standard_normal(FOLDS)
        drawn = rng.integers(0, LEVELS, (4000, GENES))
        self._parts = np.array([self._raw(genes) for genes in drawn])
        self._middle, self._unit = self._parts.mean(0), self._parts.std(0)

    def _raw(self, genes: np.ndarray[Any, Any]) -> tuple[float, float]:
        single = float(self._single[np.arange(GENES), genes].sum())
        left, right = genes[self._left], genes[self._right]
        return single, float(self._pairs[np.arange(len(left)), left, right].sum())

    def worth(self, params: Mapping[str, int]) -> float:
        """Return how much better a candidate is than the average one."""
        genes = np.array([params[f"x{index}"] for index in range(GENES)])
        single, pairs = (np.array(self._raw(genes)) - self._middle) / self._unit
        value = DEVIATION * (np.sqrt(1 - PAIRS) * single + np.sqrt(PAIRS) * pairs)
        return float(TOP * np.tanh(value / TOP) if value > 0 else value)


def _smooth(effects: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Make neighbouring levels alike."""
    return np.cumsum(effects, axis=1)


def chosen_gain(landscape: Landscape, name: str, trials: int, seed: int) -> tuple[float, float]:
    """Search a landscape with a sampler.

    Returns:
        What the chosen candidate is worth, and the seconds that a proposal took.
    """
    problem = Problem(
        {f"x{index}": IntDistribution(0, LEVELS - 1) for index in range(GENES)},
        lambda params: Proposal(str(sorted(params.items())), fits=True, fill=0.0),
        widths=(),
        trials=trials,
        folds=FOLDS,
    )
    rng = np.random.default_rng((seed, 7))
    study = optuna.create_study(direction="maximize", sampler=make_sampler(name, seed, problem))
    tried: dict[str, dict[str, int]] = {}
    repeats: dict[str, int] = {}
    seconds = 0.0
    for _ in range(trials):
        began = time.perf_counter()
        trial = study.ask(dict(problem.distributions))
        seconds += time.perf_counter() - began
        key = problem.describe(trial.params).key
        tried[key] = trial.params
        fold = repeats.get(key, 0) % FOLDS
        repeats[key] = repeats.get(key, 0) + 1
        score = landscape.worth(trial.params) + landscape.folds[fold] + SEEDS * rng.normal()
        _tell(study, trial, key, fold, float(score))
    known = posterior_of(study, problem)
    best = max(known, key=lambda key: known[key].mean)
    return landscape.worth(tried[best]), seconds / trials


def _tell(study: optuna.Study, trial: Trial, key: str, fold: int, score: float) -> None:
    trial.set_user_attr("candidate", key)
    trial.set_user_attr("fold", fold)
    trial.set_user_attr("score", score)
    trial.set_user_attr("outcome", "complete")
    study.tell(trial, score)


def measure(names: list[str], first: int, landscapes: int, trials: int) -> None:
    """Print a table, one line for each sampler."""
    print("| sampler | gain in 1/1000 points | worst tenth | ms for a proposal |")
    print("|---|---|---|---|")
    seeds = range(first, first + landscapes)
    for name in names:
        found = [chosen_gain(Landscape(seed), name, trials, seed) for seed in seeds]
        gains = [1000 * gain for gain, _ in found]
        spread = Spread.of(gains)
        error = (spread.deviation or 0.0) / len(gains) ** 0.5
        worst = statistics.fmean(sorted(gains)[: max(1, round(len(gains) / 10))])
        cost = 1000 * statistics.fmean(seconds for _, seconds in found)
        print(
            f"| {name} | {spread.mean:.1f} ± {error:.1f} | {worst:.0f} | {cost:.0f} |", flush=True
        )


def main() -> None:
    """Compare the samplers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--samplers", nargs="+", choices=SAMPLERS, default=list(SAMPLERS))
    parser.add_argument("--landscapes", type=positive, default=24)
    parser.add_argument("--first", type=int, default=0, help="number of the first landscape")
    parser.add_argument("--trials", type=positive, default=140)
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    run_command(
        lambda: measure(options.samplers, options.first, options.landscapes, options.trials)
    )


if __name__ == "__main__":
    main()

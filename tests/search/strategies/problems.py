"""Small problems whose budget is a formula, and studies on them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import optuna
from hypothesis import strategies as st
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from search.strategies.problem import Problem, Proposal

WIDTHS = ("first", "second", "third")

DISTRIBUTIONS: dict[str, BaseDistribution] = {
    "first": IntDistribution(2, 24),
    "second": IntDistribution(4, 32, step=4),
    "third": IntDistribution(3, 3),
    "kernel": CategoricalDistribution([3, 5]),
    "rate": FloatDistribution(1e-3, 1e-1, log=True),
    "drop": FloatDistribution(0.0, 0.3, step=0.05),
}


def parameters(params: Mapping[str, Any]) -> int:
    """Weights of two convolutions and a classifier."""
    first, second, area = params["first"], params["second"], params["kernel"] ** 2
    return int(first * area + first * second * area + second * params["third"])


def small_problem(limit: int = 2_000, trials: int = 40, repair: bool = True) -> Problem:
    """A problem of two widths, a kernel and two fields of a recipe."""

    def describe(params: Mapping[str, Any]) -> Proposal:
        assert params.keys() == DISTRIBUTIONS.keys()
        count = parameters(params)
        features = (math.log(count), float(params["kernel"]))
        key = repr(sorted(params.items()))
        return Proposal(key, count <= limit, count / limit, features, count, limit)

    return Problem(DISTRIBUTIONS, describe, WIDTHS, trials, folds=3, repair=repair)


def worth(params: Mapping[str, Any]) -> float:
    """What a candidate scores, before noise."""
    rate = math.log10(params["rate"] / 1e-2)
    return 0.98 + 0.005 * (params["kernel"] == 5) - 0.004 * rate**2 - 0.01 * params["drop"]


def run(
    problem: Problem,
    sampler: BaseSampler,
    trials: int,
    study: optuna.Study | None = None,
    noise: float = 0.001,
) -> optuna.Study:
    """Ask for trials and tell what they score; a repeat is judged on the next fold."""
    study = study or optuna.create_study(direction="maximize")
    study.sampler = sampler
    for _ in range(trials):
        trial = study.ask(dict(problem.distributions))
        proposal = problem.describe(trial.params)
        trial.set_user_attr("candidate", proposal.key)
        if not proposal.fits:
            trial.set_user_attr("outcome", "rejected")
            study.tell(trial, state=TrialState.PRUNED)
            continue
        earlier = [
            each for each in study.trials if each.user_attrs.get("candidate") == proposal.key
        ]
        fold = (len(earlier) - 1) % problem.folds
        # A fixed sequence that looks like noise.
        score = worth(trial.params) + 0.002 * fold + noise * math.sin(99.0 * trial.number)
        trial.set_user_attr("fold", fold)
        trial.set_user_attr("score", score)
        trial.set_user_attr("outcome", "complete")
        study.tell(trial, score - 0.01)
    return study


def finished(params: Mapping[str, Any], value: float, **attributes: Any) -> FrozenTrial:
    """A complete trial to add to a study on ``small_problem``."""
    return optuna.create_trial(
        params=dict(params), distributions=DISTRIBUTIONS, value=value, user_attrs=attributes
    )


@st.composite
def distributions(draw: st.DrawFn) -> BaseDistribution:
    """Any distribution, those of one value too."""
    kind = draw(st.sampled_from(["int", "log int", "float", "log float", "float step", "choice"]))
    low, size = draw(st.integers(1, 50)), draw(st.integers(0, 60))
    if kind == "int":
        step = draw(st.integers(1, 7))
        return IntDistribution(low - 25, low - 25 + size * step, step=step)
    if kind == "log int":
        return IntDistribution(low, low + size, log=True)
    if kind == "float":
        return FloatDistribution(low - 25.0, low - 25.0 + size / 7)
    if kind == "log float":
        return FloatDistribution(low / 1e4, low / 1e4 * (1 + size), log=True)
    if kind == "float step":
        step = draw(st.sampled_from([0.05, 0.1, 0.25, 1.0]))
        return FloatDistribution(low / 10, low / 10 + size * step, step=step)
    choices = draw(st.lists(st.integers(0, 9) | st.text(max_size=2), min_size=1, unique=True))
    return CategoricalDistribution(choices)

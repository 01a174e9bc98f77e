"""What the samplers of a study may know of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import inf, log, prod
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution

from search.spec.budget import Assessment, Budget, assess
from search.spec.candidate import Candidate
from search.spec.recipe_space import RecipeSpace
from search.spec.study_file import StudyFile
from search.strategies.counted import trainings_of
from search.strategies.problem import LIMIT, Fill, Problem, Proposal
from search.study.study import StoredStudy
from space.architecture import Architecture
from space.cost import BYTES, counts, peak
from space.errors import NotDeployable, ShapeError
from space.layers.operations import Convolution
from space.program import Apply, program_of
from space.search_space import SearchSpace

__all__ = ["Describer", "holds_none", "most_trials", "problem_of"]

_COUNTED = 1_000
"""The most settings of a space whose candidates are counted."""


def problem_of(stored: StoredStudy, trials: int, folds: int = 1) -> Problem:
    """Return what a sampler may know of a study.

    Args:
        stored: the study.
        trials: trained trials that are asked for in total.
        folds: ways in which the data can be split.
    """
    space = stored.file.search_space(stored.data.input_shape, len(stored.data.classes))
    recipes = stored.file.recipe_space()
    describer = Describer(space, recipes, stored.file.budget)
    settings, limits = stored.file.settings, stored.file.budget.several
    of_limits = {LIMIT: CategoricalDistribution(limits)} if limits else {}
    return Problem(
        distributions={**of_limits, **_distributions(space, recipes)},
        describe=describer,
        widths=space.widths,
        trials=trials,
        folds=folds,
        repair=settings.to_hold is None,
        measure=describer.measure,
        candidates=_all_of(_candidates(stored.file, space)) if settings.score else None,
        seeds=settings.seeds_per_candidate,
        limits=limits,
    )


def most_trials(problem: Problem, study: optuna.Study) -> int:
    """Return how many trials can be trained: those asked for, or all of a space that is counted.

    What several workers drew at once, or somebody queued, may have been trained more often than is
    asked for; that takes no training from the others.

    Args:
        problem: the study as samplers know it.
        study: whose trials are read if its space is counted.
    """
    if problem.candidates is None:
        return problem.trials
    trainings = trainings_of(study.get_trials(deepcopy=False))
    surplus = sum(max(0, count - problem.seeds) for count in trainings.values())
    return min(problem.trials, len(problem.candidates) * problem.seeds + surplus)


def holds_none(file: StudyFile, space: SearchSpace) -> bool:
    """Return whether a space can be counted and has no candidate that fits the budget."""
    candidates = _candidates(file, space)
    return candidates is not None and next(candidates, None) is None


def _all_of(
    candidates: Iterator[tuple[str, dict[str, Any]]] | None,
) -> dict[str, dict[str, Any]] | None:
    """Return the parameters of each candidate by its key, the first ones of several."""
    if candidates is None:
        return None
    found: dict[str, dict[str, Any]] = {}
    for key, params in candidates:
        found.setdefault(key, params)
    return found


def _candidates(file: StudyFile, space: SearchSpace) -> Iterator[tuple[str, dict[str, Any]]] | None:
    """Return the settings that fit, with their keys; None for a space with too many settings.

    Of several limits, each has the smallest that it fits.
    """
    recipes, budget = file.recipe_space(), file.budget
    fields = {**space.parameters, **recipes.parameters}
    counts = [field.count() for field in fields.values()]
    if any(count is None for count in counts) or prod(map(int, filter(None, counts))) > _COUNTED:
        return None
    describe = Describer(space, recipes, budget)

    def fitting() -> Iterator[tuple[str, dict[str, Any]]]:
        largest = {LIMIT: budget.most_parameters} if budget.several else {}
        for values in product(*(field.values() for field in fields.values())):
            params = dict(zip(fields, values, strict=True))
            found = describe({**params, **largest})
            if found.fits:
                limit = budget.smallest_for(found.parameters or 0)
                of_limit = {} if limit is None else {LIMIT: limit}
                yield found.key, {**of_limit, **params}

    return fitting()


class Describer:
    """A function from the parameters of a trial to what they mean.

    Args:
        space: of architectures.
        recipes: of recipes.
        budget: the limits.
    """

    def __init__(self, space: SearchSpace, recipes: RecipeSpace, budget: Budget) -> None:
        self._space = space
        self._recipes = recipes
        self._budget = budget

    def __call__(self, params: Mapping[str, Any]) -> Proposal:
        """Return what a full set of parameters means.

        Args:
            params: a value for each parameter of both spaces, and where the budget has several
                limits on parameters, the one that holds.
        """
        budget, limit = self._under(params)
        answers = _Answers(params)
        candidate = Candidate(
            self._space.suggest(answers).architecture, self._recipes.suggest(answers, seed=0)
        )
        found = assess(candidate.architecture, budget)
        if found.cost is None:
            return Proposal(candidate.key, fits=False, fill=inf, limit=limit)
        return Proposal(
            key=candidate.key,
            fits=found.fits,
            fill=_fill(found, budget),
            features=tuple(_features(candidate.architecture, found)),
            parameters=found.cost.parameters,
            limit=limit,
        )

    def _under(self, params: Mapping[str, Any]) -> tuple[Budget, int | None]:
        limit = int(params[LIMIT]) if self._budget.several else None
        return self._budget.under(limit), limit

    def measure(self, params: Mapping[str, Any]) -> Fill:
        """Return how much of the budget a full set of parameters uses."""
        architecture = self._space.architecture(params)
        budget, _ = self._under(params)
        limits = budget.limits()
        try:
            used = _counted(architecture, budget, limits)
        except (ShapeError, NotDeployable):
            return Fill(fits=False, fill=inf)
        fill = max(used[name] / limit for name, limit in limits.items())
        return Fill(fill <= 1.0, fill)


def _counted(
    architecture: Architecture, budget: Budget, limits: Mapping[str, float]
) -> dict[str, float]:
    """Return what is limited of an architecture, by name."""
    found: dict[str, float] = {}
    if "parameters" in limits or "macs" in limits:
        found["parameters"], found["macs"] = counts(architecture)
    if "activation_kib" in limits:
        found["activation_kib"] = BYTES * peak(architecture).elements / 1024
    if budget.is_deployed:
        deployed = budget.deployed(architecture)
        found |= {"ram_kib": deployed.ram_kib, "flash_kib": deployed.flash_kib}
    return found


class _Answers:
    """A trial that answers with given values."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._params = params

    def suggest_int(self, name: str, low: int, high: int, **_: Any) -> int:
        return int(self._params[name])

    def suggest_float(self, name: str, low: float, high: float, **_: Any) -> float:
        return float(self._params[name])

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        return self._params[name]


def _distributions(space: SearchSpace, recipes: RecipeSpace) -> dict[str, BaseDistribution]:
    """Return the distributions of all parameters, as a trial is asked for them."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    trial = study.ask()
    space.suggest(trial)
    recipes.suggest(trial, seed=0)
    return dict(trial.distributions)


def _fill(found: Assessment, budget: Budget) -> float:
    values, limits = found.values(), budget.limits()
    if not limits.keys() <= values.keys():
        return inf
    return max((values[name] / limit for name, limit in limits.items()), default=0.0)


def _features(architecture: Architecture, found: Assessment) -> Iterator[float]:
    """Yield what tells networks apart beside the parameters that they were drawn from.

    Costs and widths are logarithms, for what counts is by how many times they differ.
    """
    cost = found.cost
    assert cost is not None
    steps = [step for step in program_of(architecture) if isinstance(step, Apply)]
    convolutions = [(step, step.word) for step in steps if isinstance(step.word, Convolution)]
    pointwise = sum(word.area == 1 for _, word in convolutions)
    widths = [step.after[0] for step, _ in convolutions] or [1]
    sides = sorted({max(step.before[1:]) for step, _ in convolutions}) or [1]
    macs = [word.macs(step.before) for step, word in convolutions]
    middle = sides[len(sides) // 2]
    coarse = [
        count
        for count, (step, _) in zip(macs, convolutions, strict=True)
        if max(step.before[1:]) < middle
    ]
    yield log(cost.parameters + 1)
    yield log(cost.macs + 1)
    yield log(cost.activation_bytes)
    yield log(cost.receptive_field_before_gap)
    yield float(len(convolutions) - pointwise)
    yield float(pointwise)
    yield log(min(widths))
    yield log(max(widths))
    yield log(sides[0])
    yield sum(coarse) / max(1, sum(macs))

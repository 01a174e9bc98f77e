"""What a study's space holds, found by drawing from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from statistics import quantiles

import optuna

from search.spec.budget import LIMIT_WORDS, Assessment, assess
from search.spec.candidate import Candidate
from search.spec.study_file import StudyFile
from search.text import percent_share, plural
from space.search_space import SearchSpace

__all__ = ["Range", "Survey", "survey"]

DRAWS = 500


@dataclass(frozen=True)
class Range:
    """The values of one kind of cost among the candidates that were drawn.

    Attributes:
        least: the smallest.
        median: half of them are at most this.
        most: the largest.
    """

    least: float
    median: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Range:
        """Measure at least one value."""
        middle = quantiles(values, n=2)[0] if len(values) > 1 else values[0]
        return cls(min(values), middle, max(values))


@dataclass(frozen=True)
class Survey:
    """What candidates drawn at random from a study's space are like.

    Attributes:
        settings: the number of different settings of the space, several of which may give the
            same network; None where a field is continuous.
        fields: parameters that a trial is asked for, those of the recipe included.
        draws: candidates that were drawn.
        fitting: how many of them fit the budget.
        within: how many of them fit it with each of several limits on parameters; else empty.
        costs: of the drawn, for ``parameters``, ``macs`` and ``activation_kib``, and for
            ``ram_kib`` and ``flash_kib`` where the budget limits one of them; empty where the maps
            of all of them vanish.
        broken: for each limit how many candidates are over it.
        typical: of those that fit, the one with the median number of MACs; None where none fits.
    """

    settings: int | None
    fields: int
    draws: int
    fitting: int
    within: Mapping[int, int]
    costs: Mapping[str, Range]
    broken: Mapping[str, int]
    typical: Candidate | None

    def lines(self) -> list[str]:
        """Return what people read, a line for each fact."""
        size = "continuous" if self.settings is None else f"{self.settings:,} settings"
        lines = [
            f"space: {size}, {plural(self.fields, 'field')} searched with those of the recipe",
            f"{self.draws} candidates drawn at random: {percent_share(self.fitting / self.draws)} "
            "fit the budget",
        ]
        if self.within:
            shares = (
                f"{limit:,} {percent_share(n / self.draws)}" for limit, n in self.within.items()
            )
            lines.append(f"by the limit on parameters: {', '.join(shares)}")
        lines += [
            f"{words}: {found.least:,.{digits}f} to {found.most:,.{digits}f}, "
            f"half of them at most {found.median:,.{digits}f}"
            for name, (words, digits) in _WORDS.items()
            if (found := self.costs.get(name))
        ]
        over = sorted(self.broken.items(), key=lambda pair: -pair[1])
        if over:
            lines.append(
                "over the budget: "
                + ", ".join(f"{name} {percent_share(n / self.draws)}" for name, n in over)
            )
        return lines


_WORDS = {
    "parameters": ("parameters", 0),
    "macs": ("MACs", 0),
    "activation_kib": ("KiB of activations", 1),
    "ram_kib": ("KiB of RAM in int8", 1),
    "flash_kib": ("KiB of flash in int8", 1),
}


def survey(file: StudyFile, space: SearchSpace, draws: int = DRAWS) -> Survey:
    """Draw candidates at random and look at their cost; nothing is trained or built.

    Args:
        file: the study file.
        space: the file's search space, for the shape and the classes of its data set.
        draws: candidates to draw, at least 1. The study's seed decides which.
    """
    recipes = file.recipe_space()
    sampler = optuna.samplers.RandomSampler(seed=file.settings.seed)
    study = optuna.create_study(sampler=sampler)
    candidates = []
    for _ in range(draws):
        trial = study.ask()
        recipe = recipes.suggest(trial, file.settings.seed)
        candidates.append(Candidate(space.suggest(trial).architecture, recipe))
    found = [assess(candidate.architecture, file.budget) for candidate in candidates]
    fitting = sorted(
        (each.cost.macs, index)
        for index, each in enumerate(found)
        if each.fits and each.cost is not None
    )
    counts = [field.count() for field in space.parameters.values()]
    known = [count for count in counts if count is not None]
    return Survey(
        settings=prod(known) if len(known) == len(counts) else None,
        fields=len(space.parameters) + len(recipes.parameters),
        draws=draws,
        fitting=sum(each.fits for each in found),
        within={
            limit: sum(
                each.fits and each.cost is not None and each.cost.parameters <= limit
                for each in found
            )
            for limit in file.budget.several
        },
        costs=_costs(found),
        broken={
            words: broken
            for name, words in LIMIT_WORDS.items()
            if (broken := sum(each.constraints.get(name, 0.0) > 0 for each in found))
        },
        typical=candidates[fitting[len(fitting) // 2][1]] if fitting else None,
    )


def _costs(found: Sequence[Assessment]) -> dict[str, Range]:
    values = [each.values() for each in found if each.cost is not None]
    return {
        name: Range.of([each[name] for each in values])
        for name in _WORDS
        if values and name in values[0]
    }

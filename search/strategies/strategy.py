"""What our own samplers have in common."""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.search_space import IntersectionSearchSpace
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

from search.strategies.archive import Archive, Entry, Reader
from search.strategies.genes import Genes, Params
from search.strategies.problem import Problem
from search.strategies.repair import repaired

__all__ = ["Search", "Strategy"]

_REDRAWS = 50
"""How often a random candidate is drawn until one fits the budget."""


class Search:
    """A search as it stands, for one proposal.

    Attributes:
        archive: what is known.
        genes: the parameters to propose.
        problem: None where nothing is known of them.
        rng: decides this proposal.
    """

    def __init__(
        self,
        reader: Reader,
        problem: Problem | None,
        archive: Archive,
        rng: np.random.Generator,
    ) -> None:
        self._reader = reader
        self.genes, self.problem = reader.genes, problem
        self.archive, self.rng = archive, rng

    def made(self, params: Params, keep: Sequence[str] | set[str] = ()) -> Entry:
        """Repair a candidate and return it."""
        if self.problem is None:
            return self._reader.entry(params, self._reader.describe(params))
        return self._reader.entry(*repaired(self.problem, params, keep))

    def random(self) -> Entry:
        """Return a random candidate, one that fits and is new if such are found."""
        entry = self.made(self.genes.draw(self.rng))
        for _ in range(_REDRAWS):
            if entry.fits and entry.key not in self.archive.entries:
                break
            other = self.made(self.genes.draw(self.rng))
            if other.fits >= entry.fits:
                entry = other
        return entry

    def mutant(self, parent: Params) -> Entry:
        """Return a copy of a candidate with one or two genes changed."""
        params, changed = self.genes.mutate(parent, self.rng)
        return self.made(params, changed)

    def parents(self) -> list[Entry]:
        """Return the candidates that were judged and fit, in the order of their first trials."""
        judged = {each.key for each in self.archive.judgements}
        return [each for key, each in self.archive.entries.items() if key in judged and each.fits]


class Strategy(BaseSampler, ABC):
    """A sampler that proposes whole candidates.

    A proposal follows from the seed, the number of its trial and the stored trials alone, so that a
    search can be resumed and shared by several workers.

    Args:
        seed: 0 or above.
        problem: the study; without one, the parameters that all trials have in common are sampled.
    """

    def __init__(self, seed: int, problem: Problem | None = None) -> None:
        self._seed, self._problem = seed, problem
        self._intersection = IntersectionSearchSpace()
        self._known: dict[tuple[str, tuple[str, ...]], dict[int, Entry]] = {}

    @abstractmethod
    def propose(self, search: Search) -> Params:
        """Return the parameters of the next trial."""

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return the parameters that are proposed together."""
        _refuse_many_objectives(study)
        space = (
            self._problem.distributions if self._problem else self._intersection.calculate(study)
        )
        return {name: each for name, each in space.items() if not each.single()}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Propose parameters.

        Raises:
            ValueError: the study has several objectives.
        """
        _refuse_many_objectives(study)
        if not search_space:
            return {}
        problem, space = self._problem, search_space
        if problem is not None:
            space = {
                name: each
                for name, each in problem.distributions.items()
                if name in search_space or each.single()
            }
            # Some may be held fixed by Optuna's ``PartialFixedSampler``.
            if space.keys() != problem.distributions.keys():
                problem, space = None, search_space
        genes = Genes(space)
        key = (study.study_name, tuple(repr(each) for each in genes.distributions.items()))
        reader = Reader(genes, problem, self._known.setdefault(key, {}))
        maximise = study.direction is StudyDirection.MAXIMIZE
        archive = reader.read(study.get_trials(deepcopy=False), maximise, but=trial.number)
        rng = np.random.default_rng((self._seed, trial.number))
        params = self.propose(Search(reader, problem, archive, rng))
        return {name: params[name] for name in search_space}

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Draw a parameter at random that is not proposed with the others.

        Raises:
            ValueError: the study has several objectives.
        """
        _refuse_many_objectives(study)
        words = np.random.SeedSequence((self._seed, trial.number, zlib.crc32(param_name.encode())))
        sampler = RandomSampler(seed=int(words.generate_state(1)[0]))
        return sampler.sample_independent(study, trial, param_name, param_distribution)


def _refuse_many_objectives(study: Study) -> None:
    if len(study.directions) > 1:
        raise ValueError(
            f"the study {study.study_name!r} has {len(study.directions)} objectives, and this "
            "sampler is for one; take Optuna's NSGAIISampler or TPESampler"
        )

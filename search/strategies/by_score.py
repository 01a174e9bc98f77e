"""Let Optuna's samplers rank trials by their scores instead of the study's values."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from copy import copy
from typing import Any, cast

from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from search.strategies.archive import score_of

__all__ = ["MOST_TRIALS", "ByScore", "ScoredStudy", "Wrapping", "whole_proposal"]

MOST_TRIALS = 2000
"""A sampler is shown no more finished trials: the best half of these and the latest."""


class ScoredStudy:
    """A study whose trials have their scores as values. Nothing that is stored changes.

    Args:
        study: with one objective.
        scored: its trials, all of them.
    """

    def __init__(self, study: Study, scored: Sequence[FrozenTrial]) -> None:
        self._study, self._scored = study, scored

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)

    @property
    def trials(self) -> list[FrozenTrial]:
        """The trials with their scores as values."""
        return self.get_trials()

    def get_trials(
        self, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """Return the trials with their scores as values."""
        return self._get_trials(deepcopy, states)

    # The name by which Optuna's own samplers read trials.
    def _get_trials(
        self,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
        use_cache: bool = False,
    ) -> list[FrozenTrial]:
        return [each for each in self._scored if states is None or each.state in states]


def scored_view(study: Study) -> Study:
    """Return a study whose values are the scores, and which has only the trials that tell most.

    Where no trial has a score of its own, that is the study itself.
    """
    # As Optuna's own samplers do: once for a proposal, not for each of its parameters.
    trials = study._get_trials(deepcopy=False, use_cache=True)
    if len(study.directions) > 1 or not any("score" in each.user_attrs for each in trials):
        return study
    shown = _most_informative(trials, study.direction is StudyDirection.MAXIMIZE)
    return cast(Study, ScoredStudy(study, [_with_score(each) for each in shown]))


def _with_score(trial: FrozenTrial) -> FrozenTrial:
    score = score_of(trial)
    if score is None or score == trial.value:
        return trial
    changed = copy(trial)
    changed.value = score
    return changed


def _most_informative(trials: Sequence[FrozenTrial], maximise: bool) -> list[FrozenTrial]:
    finished = [each for each in trials if each.state.is_finished()]
    if len(finished) <= MOST_TRIALS:
        return list(trials)
    half = MOST_TRIALS // 2
    sign = -1.0 if maximise else 1.0
    scores = {
        each.number: sign * score for each in finished if (score := score_of(each)) is not None
    }
    best = set(sorted(scores, key=lambda number: (scores[number], number))[:half])
    others = [each.number for each in finished if each.number not in best]
    kept = best | set(others[len(best) - MOST_TRIALS :])
    return [each for each in trials if each.number in kept or not each.state.is_finished()]


class Wrapping(BaseSampler):
    """A sampler that leaves to another one what it does not do itself.

    Args:
        sampler: the other one.
    """

    def __init__(self, sampler: BaseSampler) -> None:
        self._sampler = sampler

    def __str__(self) -> str:
        return str(self._sampler)

    def reseed_rng(self) -> None:
        """Draw a new seed, for a thread of its own."""
        self._sampler.reseed_rng()

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Return the sampler's value of one parameter."""
        return self._sampler.sample_independent(study, trial, param_name, param_distribution)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Tell the sampler that a trial begins."""
        self._sampler.before_trial(study, trial)

    def after_trial(
        self,
        study: Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """Tell the sampler that a trial has ended."""
        self._sampler.after_trial(study, trial, state, values)


def whole_proposal(
    sampler: BaseSampler,
    study: Study,
    trial: FrozenTrial,
    distributions: Mapping[str, BaseDistribution],
) -> dict[str, Any]:
    """Return a sampler's values of all parameters, also of those that it draws one by one."""
    own = sampler.infer_relative_search_space(study, trial)
    params = sampler.sample_relative(study, trial, own)
    for name, distribution in distributions.items():
        if name not in params:
            params[name] = sampler.sample_independent(study, trial, name, distribution)
    return params


class ByScore(Wrapping):
    """A sampler of Optuna that ranks trials by their scores.

    Args:
        sampler: any of Optuna's.
    """

    def __init__(self, sampler: BaseSampler) -> None:
        super().__init__(sampler)
        self._last: tuple[tuple[str, int], Study] | None = None

    def _view(self, study: Study, trial: FrozenTrial) -> Study:
        """Return the view for a trial, one for all of its parameters."""
        key, last = (study.study_name, trial.number), self._last
        if last is None or last[0] != key:
            self._last = last = key, scored_view(study)
        return last[1]

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return the parameters that the sampler proposes together."""
        return self._sampler.infer_relative_search_space(self._view(study, trial), trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return the sampler's proposal."""
        return self._sampler.sample_relative(self._view(study, trial), trial, search_space)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Return the sampler's value of one parameter."""
        return self._sampler.sample_independent(
            self._view(study, trial), trial, param_name, param_distribution
        )

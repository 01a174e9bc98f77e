"""Which trials of a study lie in a changed study file, and how they are drawn from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import optuna
from optuna.samplers import RandomSampler
from optuna.trial import FrozenTrial

from search.errors import InputError, StudyFileError
from search.spec.budget import assess
from search.spec.candidate import Candidate
from search.spec.recipe_space import value_in
from search.spec.study_file import StudyFile, differences
from search.strategies.problem import LIMIT
from search.studies.trial_copies import copy_of
from search.study.records import (
    LIMIT_ATTRIBUTE,
    SCORE_ATTRIBUTE,
    Outcome,
    TrialRecord,
    record_candidate,
)
from search.study.scores import training_score
from search.study.seeds import sampler_seed
from search.study.study import StoredStudy
from space.errors import OutsideSpaceError
from space.fields import Field, Fixed, Scalar

__all__ = ["ChangedFile", "LeftOut", "refuse_other_figures"]

# Of [study]: keys that change neither what a trial's figures are nor how they were measured.
_FREE = frozenset(
    {
        "name",
        "trials",
        "target",
        "goal",
        "sampler",
        "pruner",
        "score",
        "seed",
        "seeds_per_candidate",
        "start_from",
    }
)


class LeftOut(Exception):
    """A trial that is not taken over; the message is the reason, in two or three words."""


def refuse_other_figures(stored: StoredStudy, file: StudyFile) -> None:
    """Refuse a file under which the figures of the study's trials would not be comparable.

    Space, budget, and what the recipe searches may change. The data set, how accuracy is measured,
    and what both files fix in the recipe must agree.

    Raises:
        InputError: with the differences.
    """
    wrong = list(_other_figures(stored.file, file))
    if wrong:
        raise InputError(
            f"the trials of {stored.name} cannot be taken over: {'; '.join(wrong)}; restore these "
            "settings, or begin a new study with flyweight run"
        )


def _other_figures(was: StudyFile, now: StudyFile) -> Iterator[str]:
    old, new = was.recipe_space().fields, now.recipe_space().fields
    for line in differences(was.to_dict(), now.to_dict()):
        key = line.partition(":")[0]
        section, _, name = key.partition(".")
        if section == "study" and name not in _FREE:
            yield line
        elif section == "recipe":
            fixed = (
                isinstance(old.get(key, Fixed(0)), Fixed),
                isinstance(new.get(key, Fixed(0)), Fixed),
            )
            if all(fixed):
                yield line


class ChangedFile:
    """A changed study file, from which trials of a study are drawn once more.

    Args:
        file: the changed file.
        stored: the study.
    """

    def __init__(self, file: StudyFile, stored: StoredStudy) -> None:
        self._file = file
        self._input_shape = stored.data.input_shape
        self._space = file.search_space(stored.data.input_shape, len(stored.data.classes))
        self._recipes = file.recipe_space()
        self._fields: Mapping[str, Field] = {**self._space.parameters, **self._recipes.parameters}

    def redraw(self, trial: FrozenTrial) -> FrozenTrial:
        """Return a trained trial as a trial of the changed file.

        It has all parameters of the file: a new one that decides nothing about its candidate has a
        random value, as in any trial.

        Raises:
            LeftOut: it was not trained, or the file does not hold its candidate.
        """
        record = TrialRecord.of(trial)
        if not record.trained:
            raise LeftOut(_untrained(record))
        candidate = record.candidate(self._input_shape)
        found = self._answers(candidate)
        kept = {
            name: value
            for name, value in trial.params.items()
            if name in self._fields and value_in(self._fields[name], value) is not None
        }
        # What was drawn is exact, what a line shows is rounded.
        for answers in ({**found, **kept}, found):
            drawn = self._draw(answers, trial, candidate)
            if drawn is not None:
                return drawn
        raise LeftOut("outside the space")

    def _answers(self, candidate: Candidate) -> dict[str, Scalar]:
        try:
            of_space = self._space.params_for(candidate.architecture)
        except OutsideSpaceError:
            raise LeftOut("outside the space") from None
        try:
            return {**of_space, **self._recipes.params_for(candidate.recipe)}
        except StudyFileError:
            raise LeftOut("outside the recipe") from None

    def _draw(
        self, answers: Mapping[str, Scalar], trial: FrozenTrial, wanted: Candidate
    ) -> FrozenTrial | None:
        """Draw a candidate with these answers; return None unless it is the wanted one."""
        seed = sampler_seed(self._file.settings.seed, 0, trial.number)
        study = optuna.create_study(direction="maximize", sampler=RandomSampler(seed))
        limit = self._limit(wanted)
        study.enqueue_trial({**answers, **({} if limit is None else {LIMIT: limit})})
        asked = study.ask()
        if limit is not None:
            asked.suggest_categorical(LIMIT, self._file.budget.several)
        suggestion = self._space.suggest(asked)
        recipe = self._recipes.suggest(asked, wanted.recipe.seed)
        candidate = Candidate(suggestion.architecture, recipe)
        if candidate.architecture != wanted.architecture:
            return None
        if recipe != wanted.recipe:
            raise LeftOut("outside the recipe")
        budget = self._file.budget
        assessment = assess(candidate.architecture, budget.under(limit))
        if not assessment.fits:
            raise LeftOut("over the budget")
        record_candidate(asked, candidate, assessment, budget, suggestion.inactive, limit)
        (drawn,) = study.get_trials(deepcopy=False)
        kept = {key: each for key, each in trial.user_attrs.items() if key != LIMIT_ATTRIBUTE}
        constraints = {k: v for k, v in drawn.system_attrs.items() if k != "fixed_params"}
        return copy_of(
            trial,
            user_attrs={**kept, **drawn.user_attrs, **self._score(trial)},
            system_attrs={**trial.system_attrs, **constraints},
            drawn=drawn,
        )

    def _limit(self, candidate: Candidate) -> int | None:
        """Return the smallest of several limits that a candidate fits; None where there is one."""
        budget = self._file.budget
        if not budget.several:
            return None
        found = assess(candidate.architecture, budget)
        if not found.fits or found.cost is None:
            raise LeftOut("over the budget")
        return budget.smallest_for(found.cost.parameters)

    def _score(self, trial: FrozenTrial) -> dict[str, float]:
        """Return the score that a complete trial has in the changed file's study."""
        record = TrialRecord.of(trial)
        if record.outcome is not Outcome.COMPLETE or record.parameters is None:
            return {}
        accuracies = [epoch.accuracy for epoch in record.epochs]
        return {SCORE_ATTRIBUTE: training_score(self._file, accuracies, record.parameters)}


def _untrained(record: TrialRecord) -> str:
    if record.outcome is None:
        return "not finished"
    return "rejected before" if record.outcome is Outcome.REJECTED else str(record.outcome)

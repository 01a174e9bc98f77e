"""The candidates that a study tries first, as parameters of queued trials."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import optuna

from search.errors import StudyFileError
from search.spec.budget import assess
from search.spec.candidate import Candidate
from search.spec.candidate_files import is_ladder, read_entry
from search.spec.recipe_space import RecipeSpace
from search.spec.study_file import StudyFile
from search.spec.toml import file_value
from search.storage.claims import Claims
from search.strategies.problem import LIMIT
from space.cost import cost
from space.errors import OutsideSpaceError, Problem
from space.fields import Scalar
from space.search_space import SearchSpace

__all__ = ["START_ATTRIBUTE", "Start", "enqueue_starts", "find_starts"]

START_ATTRIBUTE = "start_from"
"""The attribute of a trial that names the candidate it was started from."""


@dataclass(frozen=True)
class Start:
    """A candidate to try first.

    Attributes:
        name: the step or the exported network, as the study file names it.
        answers: the parameters of its trial; a parameter that is not among them is drawn.
    """

    name: str
    answers: Mapping[str, Scalar]


def find_starts(
    file: StudyFile, input_shape: tuple[int, int, int], classes: int
) -> tuple[Start, ...]:
    """Find the parameters that draw the candidates of a study's ``start_from``.

    The architecture is exactly the candidate's. Of its recipe, only the keys that the study
    searches are used. Candidates with the same parameters are tried once.

    Args:
        file: the study, in whose folder the relative paths of the entries start.
        input_shape: channels, height and width of its images.
        classes: how many classes they have.

    Raises:
        StudyFileError: with every entry that cannot be read, or is outside the space or budget.
    """
    space, recipes = file.search_space(input_shape, classes), file.recipe_space()
    starts: dict[frozenset[tuple[str, Scalar]], Start] = {}
    problems: list[Problem] = []
    for entry in file.settings.start_from:
        try:
            found = read_entry(entry, Path() if file.path is None else file.path.parent)
        except StudyFileError as error:
            problems += _of_entry(entry, str(error).splitlines())
            continue
        for name, candidate in found.items():
            reasons = list(_reasons(candidate, file, space, recipes))
            problems += _of_entry(name, (f"{reason}{_way_out(entry)}" for reason in reasons))
            if not reasons:
                limit = file.budget.smallest_for(cost(candidate.architecture).parameters)
                of_limit = {} if limit is None else {LIMIT: limit}
                start = Start(name, {**of_limit, **_params(candidate, space, recipes)})
                starts.setdefault(frozenset(start.answers.items()), start)
    if problems:
        raise StudyFileError(file.path, problems)
    return tuple(starts.values())


def enqueue_starts(study: optuna.Study, claims: Claims, starts: tuple[Start, ...]) -> None:
    """Queue the starts that are not queued yet, each once even with several processes.

    Args:
        study: the study.
        claims: to the starts by their index; those of dead processes are taken over.
        starts: those of the study.
    """
    claims.release_dead()
    while (slot := claims.take(len(starts))) is not None:
        try:
            start = starts[slot]
            if start.name not in _queued(study):
                study.enqueue_trial(dict(start.answers), user_attrs={START_ATTRIBUTE: start.name})
            claims.finish(slot)
        finally:
            claims.release(slot)


def _queued(study: optuna.Study) -> set[str]:
    trials = study.get_trials(deepcopy=False)
    return {str(trial.user_attrs.get(START_ATTRIBUTE)) for trial in trials}


def _params(candidate: Candidate, space: SearchSpace, recipes: RecipeSpace) -> dict[str, Scalar]:
    of_space = space.params_for(candidate.architecture)
    return {**of_space, **recipes.params_for(candidate.recipe)}


def _reasons(
    candidate: Candidate, file: StudyFile, space: SearchSpace, recipes: RecipeSpace
) -> Iterator[str]:
    """Find the reasons why no trial of a study can draw a candidate."""
    assessment = assess(candidate.architecture, file.budget)
    if not assessment.fits:
        yield f"it does not fit the budget ({assessment.reason}); raise the budget"
    try:
        space.params_for(candidate.architecture)
    except OutsideSpaceError as error:
        yield f"{error}; widen the space"
    try:
        recipes.params_for(candidate.recipe)
    except StudyFileError as error:
        for problem in error.problems:
            yield f"{problem}; widen that range or give it one value"


def _way_out(entry: str) -> str:
    single = ", or name the steps that fit as FILE.toml#STEP" if is_ladder(entry) else ""
    return f", or remove the entry{single}"


def _of_entry(name: str, messages: Iterable[str]) -> Iterator[Problem]:
    for message in messages:
        yield Problem("study.start_from", f"{file_value(name)}: {message}")

"""A study file: one TOML file with data set, budget, search space and recipe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from search.errors import StudyFileError
from search.spec.budget import Budget, bound_problems, empty_problems
from search.spec.canonical import FORMAT_VERSION, SECTIONS, differences, resolve
from search.spec.recipe_space import DEFAULTS, RecipeSpace
from search.spec.sections import parse_section
from search.spec.study_settings import StudySettings
from search.spec.target import Target
from search.spec.toml import as_table, file_value, read_toml
from search.text import percent
from space.errors import Problem, SearchSpaceError
from space.fields import did_you_mean
from space.search_space import SearchSpace
from space.stages.fields import parse_fields
from trainer.data import known_shape

__all__ = ["StudyFile", "differences"]


@dataclass(frozen=True)
class StudyFile:
    """A study file whose every section has been checked.

    Attributes:
        settings: ``[study]``.
        budget: ``[budget]``, with what it takes over from the target.
        space: ``[space]`` as the file has it.
        recipe: ``[recipe]`` as the file has it.
        path: the file; None for one that was not read from a file.
        target: ``[target]``; None where the file has none.
    """

    settings: StudySettings
    budget: Budget
    space: Mapping[str, object]
    recipe: Mapping[str, object]
    path: Path | None = None
    target: Target | None = None

    @classmethod
    def load(cls, path: Path | str) -> StudyFile:
        """Read and check a study file.

        Raises:
            StudyFileError: with every problem of the file.
        """
        path = Path(path)
        sections = read_toml(path)
        if "ladder" in sections and "study" not in sections:
            message = 'is a ladder file, not a study; use "flyweight ladder"'
            raise StudyFileError(path, [Problem("", message)])
        return _checked(sections, path)

    @classmethod
    def from_dict(cls, value: Mapping[str, object]) -> StudyFile:
        """Make a study file from what :meth:`to_dict` returned.

        Raises:
            StudyFileError: the format version is another one, or the value is not a study file.
        """
        if value.get("format") != FORMAT_VERSION:
            found = file_value(value.get("format"))
            message = f"{found} is not a format that this version reads; it reads {FORMAT_VERSION}"
            raise StudyFileError(None, [Problem("format", message)])
        return _checked({key: item for key, item in value.items() if key != "format"}, None)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values: all sections with all defaults written out, and ``format``."""
        settings = {key: item for key, item in asdict(self.settings).items() if item is not None}
        return resolve(
            {
                "study": settings,
                "target": None if self.target is None else self.target.to_dict(),
                "budget": self.budget.to_dict(),
                "space": self.space,
                "recipe": self.recipe,
            }
        )

    def search_space(self, input_shape: tuple[int, int, int], classes: int) -> SearchSpace:
        """Make the search space for a data set.

        Args:
            input_shape: channels, height and width of its images.
            classes: how many classes it has.

        Raises:
            StudyFileError: the space cannot be used for such images.
        """
        try:
            return SearchSpace.from_section(self.space, input_shape=input_shape, classes=classes)
        except SearchSpaceError as error:
            raise StudyFileError(self.path, error.problems) from error

    def check_fits(self, search_space: SearchSpace) -> None:
        """Refuse a space without any candidate that fits the budget.

        Raises:
            StudyFileError: its lower bound breaks a limit, or no candidate can be built at all.
        """
        problems = tuple(bound_problems(search_space, self.budget.to_dict()))
        if problems:
            raise StudyFileError(self.path, problems)

    @property
    def asked(self) -> str:
        """Return what the study asks for, in words; empty for the one most accurate network."""
        if self.settings.to_hold is not None:
            return f"the smallest network that holds {percent(self.settings.to_hold)}"
        *others, last = (f"{limit:,}" for limit in self.budget.several or (0,))
        if not others:
            return ""
        return f"the best networks of at most {', '.join(others)} and {last} parameters"

    def recipe_space(self) -> RecipeSpace:
        """Make the space of recipes."""
        return RecipeSpace.from_section(self.recipe)


def _checked(sections: Mapping[str, object], path: Path | None) -> StudyFile:
    """Check all sections, each by itself and all together."""
    problems = list(_section_problems(sections))
    tables = {name: as_table(sections.get(name)) for name in SECTIONS}
    study = parse_section(StudySettings, "study", tables["study"])
    target = parse_section(Target, "target", tables["target"]) if "target" in sections else None
    limits = tables["budget"]
    if target is not None and target.value is not None:
        limits = target.value.filled(limits)
    budget = parse_section(Budget, "budget", limits)
    recipe = tables["recipe"]
    if isinstance(sections.get("study"), Mapping):
        problems += study.problems
        problems += _folder_problems(study.good)
        if not study.problems and not budget.problems:
            problems += _goal_problems(study.good, budget.good)
        if not any(problem.key == "study.floor_epochs" for problem in study.problems):
            problems += _floor_problems(tables["study"], study.good, recipe)
    if target is not None and isinstance(sections["target"], Mapping):
        problems += target.problems
        # A study that began with both before they were compared goes on.
        if path is not None and target.value is not None:
            problems += target.value.contradictions(tables["budget"])
    if isinstance(sections.get("budget"), Mapping):
        no_board = target is None or target.value is None
        problems += budget.problems or (empty_problems(budget.good) if no_board else ())
    if isinstance(sections.get("space"), Mapping):
        problems += _space_problems(tables["space"], study.good.get("dataset"), budget.good)
    problems += _recipe_problems(recipe)
    if problems or study.value is None or budget.value is None:
        raise StudyFileError(path, problems)
    of_target = None if target is None else target.value
    return StudyFile(study.value, budget.value, tables["space"], recipe, path, of_target)


def _section_problems(sections: Mapping[str, object]) -> Iterator[Problem]:
    for name, section in sections.items():
        if name not in SECTIONS:
            hint = did_you_mean(name, SECTIONS) or f"; a study file has {', '.join(SECTIONS)}"
            if name == "augment":
                hint = "; write [[recipe.augment]]"
            yield Problem(name, f"unknown section{hint}")
        elif not isinstance(section, Mapping):
            yield Problem(name, f"{file_value(section)} is not a section; write [{name}]")
    needless = {"recipe", "target"} | ({"budget"} if "target" in sections else set())
    for name in SECTIONS:
        if name not in sections and name not in needless:
            yield Problem(name, f"the section is missing; add [{name}]")


def _folder_problems(study: Mapping[str, Any]) -> Iterator[Problem]:
    dataset = study.get("dataset")
    if dataset is None or dataset.startswith("folder:"):
        return
    defaults = {field.name: field.default for field in fields(StudySettings)}
    for key in ("image_size", "colour", "background", "skip_broken"):
        if study[key] != defaults[key]:
            yield Problem(f"study.{key}", f"is for folder:PATH only, not for {dataset}; remove it")


def _goal_problems(study: Mapping[str, Any], budget: Mapping[str, Any]) -> Iterator[Problem]:
    if study["goal"] != "smallest":
        return
    if study["target"] is None:
        yield Problem("study.target", 'goal = "smallest" needs it: the accuracy to hold; add it')
    if budget["parameters"] is None:
        yield Problem(
            "budget.parameters",
            'study.goal = "smallest" needs it: the size from which on parameters are saved; add it',
        )
    elif isinstance(budget["parameters"], list | tuple):
        yield Problem("budget.parameters", 'study.goal = "smallest" is for one limit; give one')


def _floor_problems(
    given: Mapping[str, object], study: Mapping[str, Any], recipe: Mapping[str, object]
) -> Iterator[Problem]:
    floor, epochs = study["floor_epochs"], recipe.get("epochs", DEFAULTS["epochs"])
    if type(epochs) is int and 1 <= epochs < floor:
        default = "" if "floor_epochs" in given else ", the default,"
        yield Problem(
            "study.floor_epochs",
            f"{floor}{default} is more than recipe.epochs = {epochs}; give at most {epochs}",
        )


def _recipe_problems(recipe: Mapping[str, object]) -> tuple[Problem, ...]:
    try:
        RecipeSpace.from_section(recipe)
    except StudyFileError as error:
        return error.problems
    return ()


def _space_problems(
    section: Mapping[str, object], dataset: str | None, limits: Mapping[str, Any]
) -> tuple[Problem, ...]:
    """Check a space as far as possible without opening the data set."""
    known = None if dataset is None else known_shape(dataset)
    if known is None:
        return () if "layers" in section else tuple(parse_fields(section)[1])
    input_shape, classes = known
    try:
        space = SearchSpace.from_section(section, input_shape=input_shape, classes=classes)
    except SearchSpaceError as error:
        return error.problems
    return tuple(bound_problems(space, limits))

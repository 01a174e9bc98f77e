"""A ladder file: hand-made steps towards a goal, with what their author reported, if anything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Strict
from pydantic import Field as Limits

from search.errors import StudyFileError
from search.spec.ladder_step import LadderStep, Reported
from search.spec.sections import NAME, Count, DatasetName, Line, Name, parse_section
from search.spec.toml import file_value, read_toml
from space.errors import Problem
from space.fields import did_you_mean

__all__ = ["LadderFile", "LadderSettings", "LadderStep", "Reported"]

_SECTIONS = ("ladder", "step")


@dataclass(frozen=True)
class LadderSettings:
    """The settings of a ladder.

    Attributes:
        name: lower case letters, digits and hyphens.
        dataset: one of ``trainer.data.DATASET_FORMS``.
        title: a short line for tables.
        goal: the test accuracy that the author set out for, 0 to 1.
        parameters: the most trainable parameters that the author allowed.
        floor_epochs: over how many of the last epochs the goal had to be held.
        source: where its author published it; may be empty.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    name: Name
    dataset: DatasetName
    title: Line
    goal: Annotated[float, Strict(), Limits(ge=0, le=1, allow_inf_nan=False)]
    parameters: Count
    floor_epochs: Annotated[int, Strict(), Limits(ge=1, le=10_000)] = 5
    source: Line = ""


@dataclass(frozen=True)
class LadderFile:
    """A ladder file of which everything has been checked.

    Attributes:
        settings: ``[ladder]``.
        steps: every ``[[step]]``, in the order of the file.
        path: the file.
    """

    settings: LadderSettings
    steps: tuple[LadderStep, ...]
    path: Path

    @staticmethod
    def recognises(sections: Mapping[str, object]) -> bool:
        """Return whether a file with these sections is meant as a ladder rather than a study."""
        return any(name in sections for name in _SECTIONS)

    @classmethod
    def load(cls, path: Path | str) -> LadderFile:
        """Read and check a ladder file.

        Raises:
            StudyFileError: with every problem of the file.
        """
        path = Path(path)
        sections = read_toml(path)
        if "study" in sections and not cls.recognises(sections):
            message = 'is a study file, not a ladder; use "flyweight run"'
            raise StudyFileError(path, [Problem("", message)])
        problems = list(_section_problems(sections))
        raw = sections.get("ladder")
        settings = parse_section(LadderSettings, "ladder", raw if isinstance(raw, Mapping) else {})
        if isinstance(raw, Mapping):
            problems += settings.problems
        steps, found = _read_steps(sections.get("step", []), settings.good)
        problems += found
        if problems or settings.value is None:
            raise StudyFileError(path, problems)
        return cls(settings.value, steps, path)

    def step(self, name: str) -> LadderStep:
        """Return the step of that name.

        Raises:
            StudyFileError: the ladder has no step of this name.
        """
        steps = {step.name: step for step in self.steps}
        if name not in steps:
            hint = did_you_mean(name, steps)
            message = f"{file_value(name)} is not a step{hint}; the ladder has {', '.join(steps)}"
            raise StudyFileError(self.path, [Problem("step", message)])
        return steps[name]


def _section_problems(sections: Mapping[str, object]) -> Iterator[Problem]:
    for name in sections:
        if name not in _SECTIONS:
            hint = did_you_mean(name, _SECTIONS) or "; a ladder file has [ladder] and [[step]]"
            yield Problem(name, f"unknown section{hint}")
    if "ladder" not in sections:
        yield Problem("ladder", "the section is missing; add [ladder]")
    elif not isinstance(sections["ladder"], Mapping):
        found = file_value(sections["ladder"])
        yield Problem("ladder", f"{found} is not a section; write [ladder]")


def _read_steps(
    raw: object, ladder: Mapping[str, Any]
) -> tuple[tuple[LadderStep, ...], list[Problem]]:
    """Read all steps, whatever is wrong with some of them."""
    if not isinstance(raw, list):
        return (), [Problem("step", f"{file_value(raw)} is not a list of steps; write [[step]]")]
    if not raw:
        return (), [Problem("step", "the list is empty; add [[step]]")]
    steps: list[LadderStep] = []
    problems: list[Problem] = []
    numbers: dict[str, int] = {}
    dataset, floor_epochs = ladder.get("dataset"), ladder["floor_epochs"]
    for number, table in enumerate(raw, 1):
        try:
            place = _place(number, table, numbers)
            steps.append(LadderStep.from_table(table, place, dataset, floor_epochs))
        except StudyFileError as error:
            problems += error.problems
    return tuple(steps), problems


def _place(number: int, table: object, numbers: dict[str, int]) -> str:
    """Return the label of a step in messages: its name, or its number without a usable name.

    Args:
        number: the step's, from 1.
        table: the step.
        numbers: the steps before by their names; this one is added.

    Raises:
        StudyFileError: it is not a table, or an earlier step has its name.
    """
    place = f"step{number}"
    if not isinstance(table, Mapping):
        message = f"{file_value(table)} is not a table; write [[step]]"
        raise StudyFileError(None, [Problem(place, message)])
    name = table.get("name")
    if not isinstance(name, str) or not re.fullmatch(NAME, name):
        return place
    first = numbers.setdefault(name, number)
    if first != number:
        message = f"{file_value(name)} is the name of step {first} already; give another name"
        raise StudyFileError(None, [Problem(f"{place}.name", message)])
    return f"step.{name}"

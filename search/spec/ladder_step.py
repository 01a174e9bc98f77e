"""One step of a ladder: a candidate, its target, and what its author reported, if anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Strict
from pydantic import Field as Limits

from search.errors import StudyFileError
from search.spec.recipe_space import DEFAULTS, RecipeSpace
from search.spec.sections import Count, Line, Name, parse_section
from search.spec.toml import file_value
from space.architecture import DEFAULT_INPUT, Architecture
from space.cost import cost
from space.errors import LayerError, Problem, SpaceError
from space.layers import Layer
from space.layers.words import format_shape
from trainer.data import known_shape
from trainer.recipe import Recipe

__all__ = ["LadderStep", "Reported"]

_Percent = Annotated[float, Strict(), Limits(ge=0, le=100, allow_inf_nan=False)]
_Seconds = Annotated[float, Strict(), Limits(gt=0, le=1e9, allow_inf_nan=False)]
_Text = Annotated[str, Strict()]


@dataclass(frozen=True)
class Reported:
    """The figures that the author of a step reported; accuracies in per cent.

    Attributes:
        parameters: trainable parameters.
        best_test: highest test accuracy of an epoch.
        best_train: highest accuracy of an epoch on the training images, as augmented.
        test: test accuracy after every epoch; empty where it is not known.
        train: the same for the training images.
        seconds_per_epoch: on the author's machine.
        source: where the author published it.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    parameters: Count
    best_test: _Percent
    best_train: _Percent | None = None
    test: tuple[_Percent, ...] = ()
    train: tuple[_Percent, ...] = ()
    seconds_per_epoch: _Seconds | None = None
    source: Line = ""


@dataclass(frozen=True)
class LadderStep:
    """A hand-made candidate.

    Attributes:
        name: lower case letters, digits and hyphens.
        target: what the step set out to change, a sentence.
        note: what else a reader should know; may be empty.
        architecture: its network.
        recipe: its training, with seed 0.
        reported: what its author reported; None if nothing.
    """

    name: str
    target: str
    note: str
    architecture: Architecture
    recipe: Recipe
    reported: Reported | None = None

    @classmethod
    def from_table(
        cls, table: Mapping[str, object], place: str, dataset: str | None, floor_epochs: int
    ) -> LadderStep:
        """Read a ``[[step]]`` of a ladder file.

        Args:
            table: its keys and values, as TOML gives them.
            place: its label in messages.
            dataset: the ladder's data set; None if it is not known.
            floor_epochs: the least number of epochs.

        Raises:
            StudyFileError: with every problem of the step and no path.
        """
        step = parse_section(_Table, place, table)
        good, problems = step.good, list(step.problems)
        architecture, found = _read_layers(f"{place}.layers", good.get("layers"), dataset)
        problems += found
        problems += _recipe_problems(f"{place}.recipe", good["recipe"], floor_epochs)
        # Where a key is misspelt, the number of epochs may be the one that was meant.
        epochs = good["recipe"].get("epochs", None if problems else DEFAULTS["epochs"])
        reported = None
        if good["reported"] is not None:
            place = f"{place}.reported"
            section = parse_section(Reported, place, good["reported"])
            problems += section.problems
            problems += _contradictions(place, section.good, architecture, epochs)
            reported = section.value
        if problems or step.value is None or architecture is None:
            raise StudyFileError(None, problems)
        recipe = Recipe.from_dict(step.value.recipe)
        texts = (step.value.name, step.value.target, step.value.note)
        return cls(*texts, architecture, recipe, reported)


@dataclass(frozen=True)
class _Table:
    """The keys of a ``[[step]]``."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    name: Name
    target: Line
    layers: tuple[_Text, ...]
    reported: dict[str, Any] | None = None
    note: Line = ""
    recipe: dict[str, Any] = field(default_factory=dict)


def _read_layers(
    place: str, lines: Sequence[str] | None, dataset: str | None
) -> tuple[Architecture | None, list[Problem]]:
    """Parse the lines and check them against the images and classes of the data set."""
    if lines is None:
        return None, []
    problems = [Problem(place, message) for message in _bad_lines(lines, dataset)]
    if problems or dataset is None:
        return None, problems
    known = known_shape(dataset)
    try:
        architecture = Architecture.parse(lines, known[0] if known else DEFAULT_INPUT)
    except SpaceError as error:
        return None, [Problem(place, str(error))]
    if known and architecture.classes != known[1]:
        message = f"the last line gives {architecture.classes} logits for the {known[1]} classes"
        return None, [Problem(place, f"{message} of {dataset}; give {known[1]}")]
    return architecture, []


def _bad_lines(lines: Sequence[str], dataset: str | None) -> Iterator[str]:
    """Find the lines that are wrong by themselves; only a folder needs an ``input`` line."""
    shaped = bool(lines) and lines[0].split()[:1] == ["input"]
    known = None if dataset is None else known_shape(dataset)
    if known and shaped:
        images = f"images of {dataset} are {format_shape(known[0])}"
        yield f"{file_value(lines[0])}: {images}; remove the line"
    if dataset is not None and not known and not shaped:
        yield 'a folder\'s images may have any shape; begin with a line such as "input 3x32x32"'
    for number, line in enumerate(lines[shaped:], 1):
        try:
            Layer.parse(line)
        except LayerError as error:
            yield f"line {number} {error}"


def _recipe_problems(
    place: str, section: Mapping[str, object], floor_epochs: int
) -> Iterator[Problem]:
    """Check a recipe by the rules of studies, except that nothing is searched."""
    refused = dict(_not_fixed(section))
    try:
        RecipeSpace.from_section(section)
    except StudyFileError as error:
        for problem in error.problems:
            refused.setdefault(problem.key.removeprefix("recipe."), problem.message)
    epochs = section.get("epochs", DEFAULTS["epochs"])
    if type(epochs) is int and 1 <= epochs < floor_epochs:
        message = f"{epochs} is less than ladder.floor_epochs = {floor_epochs}; lower floor_epochs"
        refused["epochs"] = message
    for key, message in refused.items():
        yield Problem(f"{place}.{key}", message)


def _not_fixed(section: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Find keys that a study's recipe may have but a ladder's may not, or must write otherwise."""
    for key, value in section.items():
        if key == "seed":
            yield key, "is chosen when the ladder is replayed; remove it"
        elif key != "augment" and isinstance(value, list | Mapping):
            yield key, _ONE_VALUE
    steps = section.get("augment", [])
    if not isinstance(steps, list):
        yield "augment", f"{file_value(steps)} is not a list; write [[step.recipe.augment]]"
        return
    for index, step in enumerate(steps, 1):
        if not isinstance(step, Mapping):
            message = f"{file_value(step)} is not a table; write [[step.recipe.augment]]"
            yield f"augment{index}", message
            continue
        for key, value in step.items():
            if isinstance(value, list | Mapping):
                yield f"augment{index}.{key}", _ONE_VALUE


_ONE_VALUE = "must be one value, as a ladder searches nothing; give the author's value"


def _contradictions(
    place: str,
    reported: Mapping[str, Any],
    architecture: Architecture | None,
    epochs: object,
) -> Iterator[Problem]:
    """Find reported figures that contradict the candidate."""
    counted = cost(architecture).parameters if architecture else None
    if counted and "parameters" in reported and reported["parameters"] != counted:
        yield Problem(
            f"{place}.parameters",
            f"{reported['parameters']:,} is not the {counted:,} of the layers; correct either",
        )
    if type(epochs) is not int or epochs < 1:
        return
    for key in ("test", "train"):
        figures = reported.get(key, ())
        if figures and len(figures) != epochs:
            message = f"has {len(figures)} figures for {epochs} epochs; give one for each, or none"
            yield Problem(f"{place}.{key}", message)

"""The ``[recipe]`` section of a study file: a space from which each trial draws a recipe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isclose
from typing import Any, Literal

from search.errors import StudyFileError
from space.errors import FieldError, Problem
from space.fields import (
    Field,
    Fixed,
    FloatRange,
    Scalar,
    Trial,
    did_you_mean,
    parse_field,
    show,
)
from space.fields.match import allowed
from trainer.augment import STEP_KINDS, step_defaults, step_from_dict, step_to_dict
from trainer.optim.optimizers import OPTIMIZERS
from trainer.ranges import Choice, Flag, Range, Rule, rules_of
from trainer.recipe import Recipe

__all__ = ["DEFAULTS", "RecipeSpace", "value_in"]

_RULES = rules_of(Recipe)

DEFAULTS: Mapping[str, Scalar] = {key: getattr(Recipe(), key) for key in _RULES if key != "seed"}
"""Every key of a recipe that is a field, with the value of an absent one."""

_NOT_SEARCHED = {
    "epochs": "must be one whole number, such as 15, because pruners compare trials by epoch",
    "seed": "is made from study.seed and the number of the trial; remove it",
}


@dataclass(frozen=True)
class RecipeSpace:
    """A space of recipes.

    Attributes:
        fields: the field of every key by its full name (``recipe.learning_rate``,
            ``recipe.augment1.degrees``), fixed ones included, in the order of asking.
        augment_kinds: the kind of each augmentation step, in the order in which they act.
    """

    fields: Mapping[str, Field]
    augment_kinds: tuple[str, ...] = ()

    @classmethod
    def from_section(cls, section: Mapping[str, object]) -> RecipeSpace:
        """Read a ``[recipe]`` section; absent keys take the defaults of ``trainer.Recipe``.

        Raises:
            StudyFileError: with every problem of the section and no path.
        """
        reader = _Reader()
        reader.read(section)
        if reader.problems:
            raise StudyFileError(None, reader.problems)
        return cls(reader.fields, tuple(reader.kinds))

    @property
    def parameters(self) -> Mapping[str, Field]:
        """Return the parameters that a trial is asked for, by name, in the order of asking."""
        found = self.fields.items()
        return {name: field for name, field in found if not isinstance(field, Fixed)}

    @property
    def epochs(self) -> int:
        """Return the number of epochs that a trial trains unless it is pruned."""
        return int(self.fields["recipe.epochs"].minimum)

    def suggest(self, trial: Trial, seed: int) -> Recipe:
        """Draw a recipe; the trial is always asked for the same names in the same order.

        Args:
            trial: the trial that draws.
            seed: the recipe's seed, 0 or more, not drawn.
        """
        drawn = {name: field.suggest(trial, name) for name, field in self.fields.items()}
        values: dict[str, Any] = {key: drawn[f"recipe.{key}"] for key in DEFAULTS}
        steps = [self._step(index, kind, drawn) for index, kind in enumerate(self.augment_kinds, 1)]
        return Recipe(**values, augment=tuple(map(step_from_dict, steps)), seed=seed)

    def params_for(self, recipe: Recipe) -> dict[str, Scalar]:
        """Return the parameters with which a trial draws a recipe, as far as it is searched here.

        What the section fixes stays as it is, whatever the recipe has. Augmentation steps are
        compared kind by kind; one that the recipe lacks gets no parameters.

        Raises:
            StudyFileError: with every value that its field does not contain, and no path.
        """
        params: dict[str, Scalar] = {}
        problems: list[Problem] = []
        for name, value in self._values(recipe):
            field = self.parameters.get(name)
            if field is not None and (param := value_in(field, value)) is not None:
                params[name] = param
            elif field is not None:
                problems.append(Problem(name, f"{show(value)} is not {allowed(field)}"))
        if problems:
            raise StudyFileError(None, problems)
        return params

    def _values(self, recipe: Recipe) -> Iterator[tuple[str, Scalar]]:
        """Yield what a recipe has for the fields, by their names."""
        for key in DEFAULTS:
            yield f"recipe.{key}", getattr(recipe, key)
        steps = [step_to_dict(step) for step in recipe.augment]
        for index, kind in enumerate(self.augment_kinds, 1):
            step = next((step for step in steps if step["kind"] == kind), None)
            if step is not None:
                steps.remove(step)
                keys = rules_of(STEP_KINDS[kind])
                yield from ((f"recipe.augment{index}.{key}", step[key]) for key in keys)

    @staticmethod
    def _step(index: int, kind: str, drawn: Mapping[str, Scalar]) -> dict[str, Scalar]:
        keys = rules_of(STEP_KINDS[kind])
        strengths = {key: drawn[f"recipe.augment{index}.{key}"] for key in keys}
        return {"kind": kind, **strengths}


def value_in(field: Field, value: Scalar) -> Scalar | None:
    """Return a value as its field has it, rounded to a step; None if the field lacks it."""
    if isinstance(value, str) or not isinstance(field, FloatRange):
        return value if value in field.values() else None
    if field.step is None:
        return value if field.low <= value <= field.high else None
    return next((step for step in field.values() if isclose(float(step), value)), None)


class _Reader:
    """A collection of fields and problems while a section is read."""

    def __init__(self) -> None:
        self.fields: dict[str, Field] = {}
        self.kinds: list[str] = []
        self.problems: list[Problem] = []

    def read(self, section: Mapping[str, object]) -> None:
        for key in section:
            if key == "seed":
                self._add_problem("recipe.seed", _NOT_SEARCHED["seed"])
            elif key not in DEFAULTS and key != "augment":
                known = (*DEFAULTS, "augment")
                hint = did_you_mean(key, known) or f"; known: {', '.join(known)}"
                self._add_problem(f"recipe.{key}", f"unknown key{hint}")
        for key, default in DEFAULTS.items():
            self._read_key(key, section.get(key, default))
        self._read_augment(section.get("augment", ()))
        self.problems += _nesterov_problems(self.fields)

    def _read_key(self, key: str, raw: object) -> None:
        name = f"recipe.{key}"
        if key == "epochs" and isinstance(raw, Mapping | list | tuple):
            self._add_problem(name, _NOT_SEARCHED["epochs"])
        else:
            self._parse(name, raw, _RULES[key])

    def _parse(self, name: str, raw: object, rule: Rule) -> None:
        try:
            if isinstance(raw, Mapping) and "per" in raw:
                raise FieldError(name, "a recipe is drawn once for each network; remove per")
            self.fields[name] = _field(name, raw, rule)
        except FieldError as error:
            self._add_problem(error.key, error.message)

    def _read_augment(self, raw: object) -> None:
        if not isinstance(raw, list | tuple):
            what = "one table" if isinstance(raw, Mapping) else show(raw)
            self._add_problem("recipe.augment", f"{what} is not a list; write [[recipe.augment]]")
            return
        for index, table in enumerate(raw, 1):
            self._read_step(f"recipe.augment{index}", table)

    def _read_step(self, name: str, table: object) -> None:
        if not isinstance(table, Mapping):
            self._add_problem(name, f"{show(table)} is not a table; write [[recipe.augment]]")
            return
        kind = table.get("kind")
        if not isinstance(kind, str) or kind not in STEP_KINDS:
            self._add_problem(f"{name}.kind", _kind_message(kind))
            return
        self.kinds.append(kind)
        rules, defaults = rules_of(STEP_KINDS[kind]), step_defaults(kind)
        for key in table:
            if key not in rules and key != "kind":
                hint = did_you_mean(key, rules) or f"; {kind} has {', '.join(rules)}"
                self._add_problem(f"{name}.{key}", f"unknown key{hint}")
        for key, rule in rules.items():
            self._parse(f"{name}.{key}", table.get(key, defaults[key]), rule)

    def _add_problem(self, key: str, message: str) -> None:
        self.problems.append(Problem(key, message))


def _field(name: str, raw: object, rule: Rule) -> Field:
    match rule:
        case Range(low, high, whole):
            kind: Literal["int", "float"] = "int" if whole else "float"
            return parse_field(raw, key=name, kind=kind, low=low, high=high)
        case Choice(options):
            return parse_field(raw, key=name, kind="str", allowed=options)
        case Flag():
            return parse_field(raw, key=name, kind="bool")


def _kind_message(kind: object) -> str:
    known = f"give one of {', '.join(map(show, STEP_KINDS))}"
    if kind is None:
        return f"is required; {known}"
    hint = did_you_mean(kind, STEP_KINDS) if isinstance(kind, str) else ""
    return f"{show(kind)} is not a kind of augmentation{hint}; {known}"


def _nesterov_problems(fields: Mapping[str, Field]) -> Iterator[Problem]:
    """Find problems with Nesterov momentum, the only key that depends on other keys."""
    nesterov = fields.get("recipe.nesterov", Fixed(False))
    optimizer = fields.get("recipe.optimizer", Fixed("sgd"))
    momentum = fields.get("recipe.momentum", Fixed(1.0))
    if True not in nesterov.values():
        return
    able = [name for name, entry in OPTIMIZERS.items() if entry.nesterov]
    others = [name for name in optimizer.values() if name not in able]
    if others:
        needed = " or ".join(map(show, able))
        message = f"true needs optimizer = {needed}, but it can be {show(others[0])}; remove either"
        yield Problem("recipe.nesterov", message)
    if momentum.minimum == 0:
        message = "true needs a momentum above 0, but recipe.momentum can be 0; raise it"
        yield Problem("recipe.nesterov", message)

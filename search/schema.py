"""The JSON schema of study files, by which editors complete and check them.

It is made from the tables by which files are read, so it knows every key, word and limit. What
concerns several keys at once only ``flyweight validate`` finds.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeAlias

from pydantic import TypeAdapter

from search.spec.budget import Budget
from search.spec.study_settings import StudySettings
from search.spec.target import Target
from search.strategies.pruners import PRUNERS
from search.strategies.samplers import SAMPLERS
from space.deployed.boards import boards
from space.deployed.flash import CORES
from space.fields import Kind
from space.stages.fields import STAGE_FIELDS, StageField
from trainer.augment import STEP_KINDS
from trainer.data import DATASET_FORMS
from trainer.ranges import Choice, Flag, Range, Rule, rules_of
from trainer.recipe import Recipe

__all__ = ["schema"]

_Schema: TypeAlias = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES: Mapping[Kind, str] = {
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "str": "string",
}
_PLACES = ("network", "stage", "conv")


def schema() -> _Schema:
    """Return the schema of a study file, of the JSON Schema draft 2020-12."""
    recipe = {
        key: _of_rule(rule)
        for key, rule in rules_of(Recipe).items()
        if key not in ("seed", "epochs")
    }
    epochs = _single(rules_of(Recipe)["epochs"])
    steps = [_of_step(kind) for kind in STEP_KINDS]
    return {
        "$schema": _DIALECT,
        "title": "flyweight study file",
        "type": "object",
        "properties": {
            "study": _of_dataclass(
                StudySettings,
                {
                    "dataset": {"type": "string", "examples": list(DATASET_FORMS)},
                    "sampler": _words(SAMPLERS),
                    "pruner": _words(PRUNERS),
                },
            ),
            "budget": _of_dataclass(Budget, {"core": _words(CORES)}),
            "target": _of_dataclass(Target, {"board": _words(boards())}),
            "space": {"anyOf": [_by_stages(), _by_template()]},
            "recipe": _described(
                Recipe,
                _table(
                    {
                        "epochs": epochs,
                        **recipe,
                        "augment": {"type": "array", "items": {"anyOf": steps}},
                    }
                ),
            ),
        },
        "required": ["study", "space"],
        "anyOf": [{"required": ["budget"]}, {"required": ["target"]}],
        "additionalProperties": False,
    }


def _of_dataclass(kind: type[Any], better: Mapping[str, _Schema]) -> _Schema:
    """Return the schema of a section that pydantic reads, with the words of some keys."""
    made = TypeAdapter(kind).json_schema()
    definitions = made.pop("$defs", {})
    assert not definitions, "a section has no tables of its own"
    properties = {key: _without_null(value) for key, value in made["properties"].items()}
    for key, words in better.items():
        kept = {name: properties[key][name] for name in ("default",) if name in properties[key]}
        properties[key] = {**words, **kept}
    found = _table(properties)
    if required := made.get("required"):
        found["required"] = required
    return _described(kind, found)


def _without_null(made: _Schema) -> _Schema:
    """Drop null, which TOML does not have."""
    found = {key: item for key, item in made.items() if key != "title"}
    if found.get("default", 0) is None:
        del found["default"]
    if "anyOf" in found:
        left = [each for each in found["anyOf"] if each != {"type": "null"}]
        if len(left) == 1:
            del found["anyOf"]
            return {**left[0], **found}
        found["anyOf"] = left
    if "oneOf" in found:
        found["oneOf"] = [each for each in found["oneOf"] if each != {"type": "null"}]
    return found


def _by_stages() -> _Schema:
    found = _table({name: _of_stage_field(rules) for name, rules in STAGE_FIELDS.items()})
    found["required"] = [
        name for name, rules in STAGE_FIELDS.items() if rules.default is None and name == "width"
    ]
    return found


def _by_template() -> _Schema:
    line = {"type": "string", "description": "a line of layers; {name} is a field of this section"}
    any_field = _field({"type": ["integer", "number", "string", "boolean"]}, numbers=True)
    return {
        "type": "object",
        "properties": {"layers": {"type": "array", "items": line, "minItems": 1}},
        "required": ["layers"],
        "additionalProperties": any_field,
    }


def _of_stage_field(rules: StageField) -> _Schema:
    value: _Schema = {"type": _TYPES[rules.kind]}
    if rules.allowed is not None:
        value["enum"] = sorted(rules.allowed, key=str) if rules.kind == "int" else [*rules.allowed]
    else:
        limits = {"minimum": rules.low, "maximum": rules.high}
        value |= {name: limit for name, limit in limits.items() if limit is not None}
    numbers = rules.kind in ("int", "float")
    found = _field(value, numbers=numbers, per=_PLACES[: _PLACES.index(rules.finest) + 1])
    return found if rules.default is None else {**found, "default": rules.default}


def _of_rule(rule: Rule) -> _Schema:
    return _field(_single(rule), numbers=isinstance(rule, Range))


def _single(rule: Rule) -> _Schema:
    match rule:
        case Range(low, high, whole):
            kind = "integer" if whole else "number"
            return {"type": kind, "minimum": low, "maximum": high}
        case Choice(options):
            return _words(options)
        case Flag():
            return {"type": "boolean"}


def _field(value: _Schema, *, numbers: bool, per: Iterable[str] = ()) -> _Schema:
    """Return what a field may be: one value, a list of choices, or a table."""
    choices = {"type": "array", "items": value, "minItems": 1}
    place = {"per": _words(list(per))} if per else {}
    forms = [value, choices, {**_table({"choices": choices, **place}), "required": ["choices"]}]
    if numbers:
        step = {"type": "number", "exclusiveMinimum": 0}
        ends = {"low": value, "high": value, "step": step, "log": {"type": "boolean"}}
        forms.append({**_table({**ends, **place}), "required": ["low", "high"]})
    return {"anyOf": forms}


def _of_step(kind: str) -> _Schema:
    cls = STEP_KINDS[kind]
    properties = {name: _of_rule(rule) for name, rule in rules_of(cls).items()}
    found = _described(cls, _table({"kind": {"const": kind}, **properties}))
    return {**found, "required": ["kind"]}


def _table(properties: Mapping[str, _Schema]) -> _Schema:
    return {"type": "object", "properties": dict(properties), "additionalProperties": False}


def _words(words: Collection[str]) -> _Schema:
    return {"type": "string", "enum": list(words)}


def _described(kind: type[Any], found: _Schema) -> _Schema:
    """Add what the docstring of a dataclass says of its attributes."""
    for name, words in _attributes(inspect.getdoc(kind) or "").items():
        if name in found["properties"]:
            found["properties"][name] = {**found["properties"][name], "description": words}
    return found


def _attributes(docstring: str) -> dict[str, str]:
    """Read the names and meanings from the attributes of a docstring."""
    _, _, rest = docstring.partition("Attributes:\n")
    found: dict[str, str] = {}
    name = ""
    for line in rest.splitlines():
        if begun := re.match(r"    (\w+): (.*)", line):
            name = begun[1]
            found[name] = begun[2]
        elif name and line.startswith("     "):
            found[name] += f" {line.strip()}"
        elif line.strip():
            break
    return {name: words.replace("``", "`") for name, words in found.items()}

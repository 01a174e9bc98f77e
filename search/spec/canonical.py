"""Study files as JSON values: every default written out, so that two of them can be compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any

from search.spec.recipe_space import DEFAULTS
from search.spec.study_settings import StudySettings
from search.spec.toml import as_table, file_value
from space.stages.fields import STAGE_FIELDS
from trainer.augment import step_defaults

__all__ = ["FORMAT_VERSION", "SECTIONS", "differences", "resolve"]

FORMAT_VERSION = 1
SECTIONS = ("study", "target", "budget", "space", "recipe")

_FREE = frozenset({"format", "study.trials"})  # keys that may change when a study is resumed


def resolve(sections: Mapping[str, object]) -> dict[str, Any]:
    """Write all defaults out and every field in its shortest form.

    ``{ choices = [3, 5] }`` becomes ``[3, 5]``, and keys of a table that equal the default
    (``log = false``, the place where a field is drawn anyway) are dropped. The sections are not
    checked: an unknown key stays as it is, so that a file of another version can be compared.

    Args:
        sections: the sections of a study file by name; those missing are taken as empty.

    Returns:
        JSON values: ``format`` and all sections, ``target`` where there is one.
    """
    study, target, budget, space, recipe = (as_table(sections.get(name)) for name in SECTIONS)
    return {
        "format": FORMAT_VERSION,
        "study": {key: _short(value) for key, value in _filled(study, _STUDY).items()},
        **({"target": target} if target else {}),
        "budget": budget,
        "space": _resolve_space(space),
        "recipe": _resolve_recipe(recipe),
    }


def differences(stored: Mapping[str, object], new: Mapping[str, object]) -> tuple[str, ...]:
    """Compare two resolved study files.

    Args:
        stored: the file with which a study began, perhaps under an older version.
        new: the file with which it is to be resumed.

    Returns:
        One line for each key that differs, such as ``study.seed: was 0, now 1``. The number of
        trials never counts, nor does a key that only one has and that has its default in the other.
    """
    was, now = (dict(_flat(resolve(sections))) for sections in (stored, new))
    # A study that began without the key ranks by the floor; a file without it takes the study's.
    was.setdefault("study.score", "floor")
    now.setdefault("study.score", was["study.score"])
    # A study keeps its count of RAM and flash, whatever the newest one is.
    if (counted := was.get("budget.cost_model")) is not None:
        now.setdefault("budget.cost_model", counted)
    keys = [key for key in {**was, **now} if key not in _FREE]
    return tuple(
        f"{key}: was {_shown(was, key)}, now {_shown(now, key)}"
        for key in keys
        if key not in was or key not in now or was[key] != now[key]
    )


_STUDY = {
    field.name: None if field.default is MISSING else field.default
    for field in fields(StudySettings)
}
_SPACE = {name: spec.default for name, spec in STAGE_FIELDS.items()}


def _filled(given: Mapping[str, object], defaults: Mapping[str, object]) -> dict[str, Any]:
    """Return all keys that have a value, in the order of the defaults."""
    values = {key: given.get(key, default) for key, default in defaults.items()} | dict(given)
    return {key: value for key, value in values.items() if value is not None}


def _resolve_space(section: Mapping[str, object]) -> dict[str, Any]:
    if "layers" in section:
        return {key: _short(value, kind=None) for key, value in section.items()}
    resolved: dict[str, Any] = {}
    for key, value in _filled(section, _SPACE).items():
        spec = STAGE_FIELDS.get(key)
        resolved[key] = _short(value, spec.kind, spec.place) if spec else value
    return resolved


def _resolve_recipe(section: Mapping[str, object]) -> dict[str, Any]:
    values = _filled(section, DEFAULTS)
    steps = values.pop("augment", [])
    resolved = {key: _short(value, _kind(DEFAULTS.get(key))) for key, value in values.items()}
    return {**resolved, "augment": [_resolve_step(step) for step in steps]}


def _resolve_step(step: Mapping[str, object]) -> dict[str, Any]:
    defaults = step_defaults(str(step.get("kind")))
    values = _filled(step, {"kind": None, **defaults})
    return {key: _short(value, _kind(defaults.get(key))) for key, value in values.items()}


def _kind(default: object) -> str:
    return type(default).__name__


def _short(raw: object, kind: str | None = None, place: str | None = None) -> Any:
    """Return the shortest form of a field; without a kind, the types of its numbers decide."""
    if isinstance(raw, list | tuple):
        return list(raw)
    if not isinstance(raw, Mapping):
        return raw
    table = {key: value for key, value in raw.items() if not _needless(key, raw, kind, place)}
    return list(table["choices"]) if set(table) == {"choices"} else table


def _needless(key: str, table: Mapping[str, object], kind: str | None, place: str | None) -> bool:
    value = table[key]
    if key == "per":
        return value == place
    if key == "step":
        numbers = [table.get(name) for name in ("low", "high", "step")]
        whole = kind in ("int", None) and all(type(number) is int for number in numbers)
        return whole and value == 1
    return key == "log" and value is False


def _flat(resolved: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Return the keys as messages name them: ``space.width``, ``recipe.augment1.degrees``."""
    for section in SECTIONS:
        for key, value in resolved.get(section, {}).items():
            if (section, key) != ("recipe", "augment"):
                yield f"{section}.{key}", value
    steps: Sequence[Mapping[str, object]] = resolved["recipe"]["augment"]
    for index, step in enumerate(steps, 1):
        for key, value in step.items():
            yield f"recipe.augment{index}.{key}", value


def _shown(values: Mapping[str, object], key: str) -> str:
    return file_value(values[key]) if key in values else "absent"

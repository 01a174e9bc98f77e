"""Read a section of a study or ladder file: the types of its keys, and error messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Annotated, Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import AfterValidator, Strict, TypeAdapter, ValidationError
from pydantic import Field as Limits
from pydantic_core import ErrorDetails

from search.spec.toml import file_value
from space.errors import Problem
from space.fields import did_you_mean, too_large, too_small
from trainer.data import DATASET_FORMS, DATASET_NAMES, PATH_DATASETS

__all__ = [
    "NAME",
    "Count",
    "DatasetName",
    "Line",
    "Name",
    "Section",
    "parse_section",
]

NAME = r"^[a-z0-9][a-z0-9-]*$"
"""The pattern of the name of a study, a ladder or a step."""


def _known_dataset(name: str) -> str:
    if name in DATASET_NAMES:
        return name
    prefix, _, path = name.partition(":")
    if prefix in PATH_DATASETS and path.strip() and name.isprintable():
        return name
    hint = did_you_mean(name, DATASET_NAMES)
    known = ", ".join(DATASET_FORMS)
    raise ValueError(f"{file_value(name)} is not known{hint}; give one of {known}")


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError(
            f"{file_value(text)} must be one line; end every line but the last with a backslash"
        )
    return text


Count = Annotated[int, Strict(), Limits(ge=1, le=10**15)]
DatasetName = Annotated[str, Strict(), AfterValidator(_known_dataset)]
Line = Annotated[str, Strict(), AfterValidator(_one_line)]
Name = Annotated[str, Strict(), Limits(pattern=NAME, max_length=64)]


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


T = TypeVar("T", bound=_Dataclass)


@dataclass(frozen=True)
class Section(Generic[T]):
    """The result of reading one section.

    Attributes:
        value: the section; None when it has problems.
        good: its usable keys, defaults filled in, for checks that concern several sections.
        problems: what is wrong.
    """

    value: T | None
    good: Mapping[str, Any]
    problems: tuple[Problem, ...]


def parse_section(kind: type[T], name: str, raw: Mapping[str, object]) -> Section[T]:
    """Read a section.

    Args:
        kind: the dataclass that it becomes; its types and limits are the rules.
        name: its name in the file, for messages.
        raw: its keys and values, as TOML gives them.
    """
    good = _defaults(kind)
    try:
        value = _adapter(kind).validate_python(dict(raw))
    except ValidationError as error:
        details = error.errors(include_url=False)
        bad = {str(detail["loc"][0]) for detail in details}
        good |= {key: item for key, item in raw.items() if key not in bad}
        return Section(None, good, tuple(_problem(kind, name, detail) for detail in details))
    good |= {field.name: getattr(value, field.name) for field in fields(kind)}
    return Section(value, good, ())


def _defaults(kind: type[_Dataclass]) -> dict[str, Any]:
    plain = {field.name: field.default for field in fields(kind)}
    made = {f.name: f.default_factory() for f in fields(kind) if f.default_factory is not MISSING}
    return {key: value for key, value in {**plain, **made}.items() if value is not MISSING}


@cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _problem(kind: type[_Dataclass], name: str, detail: ErrorDetails) -> Problem:
    key, *inner = detail["loc"]
    place = [name, str(key), *(str(step + 1) for step in inner if isinstance(step, int))]
    return Problem(".".join(place), _message(kind, str(key), detail))


def _message(kind: type[_Dataclass], key: str, detail: ErrorDetails) -> str:
    value, facts = detail["input"], detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return f"is required; {_EXAMPLES.get(key, 'add it')}"
        case "unexpected_keyword_argument":
            known = [field.name for field in fields(kind)]
            return f"unknown key{did_you_mean(key, known) or '; known: ' + ', '.join(known)}"
        case "greater_than_equal":
            return too_small(file_value(value), _shown(facts["ge"]))
        case "greater_than":
            return f"{file_value(value)} is too small; give more than {facts['gt']:g}"
        case "less_than":
            return f"{file_value(value)} is too large; give less than {facts['lt']:g}"
        case "less_than_equal" if facts["le"] == 1:
            return f"{file_value(value)} is too large; accuracies go from 0 to 1, such as 0.994"
        case "less_than_equal":
            return too_large(file_value(value), _shown(facts["le"]))
        case "value_error":
            return str(facts["error"])
        case "literal_error":
            return f"{file_value(value)} is not known; give {facts['expected']}"
        case error if error in _WANTED:
            return f"{file_value(value)} is not {_WANTED[error]}{_whole(error, value)}"
        case _:
            return f"{file_value(value)}: {detail['msg']}"


_EXAMPLES = {
    "name": 'such as name = "mnist-8k"',
    "board": 'such as board = "rpi-pico"',
    "dataset": f"one of {', '.join(DATASET_FORMS)}",
    "goal": "such as goal = 0.994",
    "parameters": "such as parameters = 8_000",
    "layers": 'such as layers = ["conv3 10 bn relu", "conv1 10", "gap"]',
    "best_test": "in per cent, such as best_test = 99.4",
}

_WANTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "a text in quotes",
    "tuple_type": "a list",
    "dict_type": "a table of keys and values",
    "string_pattern_mismatch": "a name; use a to z, 0 to 9 and, after the first, hyphens",
    "string_too_long": "a short name; use at most 64 characters",
}


def _shown(limit: float) -> str:
    return f"{limit:g}" if isinstance(limit, float) else str(limit)


def _whole(error: str, value: object) -> str:
    if error == "int_type" and isinstance(value, float) and value.is_integer():
        return f"; write {int(value)}"
    return ""

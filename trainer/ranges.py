"""The values that a key takes, and the messages that refuse any other.

A dataclass states its keys' values in its annotations, and :func:`check_fields` checks them::

    epochs: Annotated[int, Range(1, 10_000, whole=True)] = 15
    schedule: Annotated[str, Choice(("none", "cosine"))] = "none"
    nesterov: Annotated[bool, Flag()] = False
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from math import isfinite
from types import MappingProxyType
from typing import Any, TypeAlias, get_args, get_type_hints

from trainer.errors import RecipeError

__all__ = [
    "Choice",
    "Flag",
    "Range",
    "Rule",
    "check_fields",
    "check_keys",
    "did_you_mean",
    "rules_of",
    "show",
]


@dataclass(frozen=True)
class Range:
    """The numbers from a least to a greatest one.

    Attributes:
        low: least number, included.
        high: greatest number, included.
        whole: whether only whole numbers are taken; otherwise they become floats.
    """

    low: float
    high: float
    whole: bool = False

    def check(self, key: str, value: object) -> float | int:
        """Return the value in its own type: ``int`` where ``whole``, else ``float``.

        Raises:
            RecipeError: if it is not such a number or is outside the range.
        """
        low, high = (_shortest(end) for end in (self.low, self.high))
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            kind = "a whole number" if self.whole else "a number"
            raise RecipeError(f"{key}: {show(value)} is not {kind}; give one from {low} to {high}")
        if isinstance(value, float) and not isfinite(value):
            raise RecipeError(
                f"{key}: {value} is not a finite number; give one from {low} to {high}"
            )
        if value < self.low:
            raise RecipeError(f"{key}: {value} is too small; give at least {low}")
        if value > self.high:
            raise RecipeError(f"{key}: {value} is too large; give at most {high}")
        return value if self.whole else float(value)


@dataclass(frozen=True)
class Choice:
    """One of several words.

    Attributes:
        options: the words.
    """

    options: tuple[str, ...]

    def check(self, key: str, value: object) -> str:
        """Return the value.

        Raises:
            RecipeError: if it is not one of the options.
        """
        if not isinstance(value, str) or value not in self.options:
            hint = did_you_mean(value, self.options)
            options = ", ".join(self.options)
            raise RecipeError(f"{key}: {show(value)} is not known{hint}; give one of {options}")
        return value


@dataclass(frozen=True)
class Flag:
    """One of true and false."""

    def check(self, key: str, value: object) -> bool:
        """Return the value.

        Raises:
            RecipeError: if it is neither.
        """
        if not isinstance(value, bool):
            raise RecipeError(f"{key}: {show(value)} is not true or false; give one of them")
        return value


Rule: TypeAlias = Range | Choice | Flag


@cache
def rules_of(cls: type[Any]) -> Mapping[str, Rule]:
    """Return the rule of each field of a dataclass whose annotation has one, in their order."""
    hints = get_type_hints(cls, include_extras=True)
    pairs = ((field.name, get_args(hints[field.name])) for field in dataclasses.fields(cls))
    return MappingProxyType(
        {name: rule for name, parts in pairs for rule in parts[1:] if isinstance(rule, Rule)}
    )


def check_fields(value: Any, place: str = "") -> None:
    """Check a frozen dataclass against its rules and give each field its own type.

    Args:
        value: the dataclass, in its ``__post_init__``.
        place: what stands before a key in messages.

    Raises:
        RecipeError: for the first field that its rule refuses.
    """
    for key, rule in rules_of(value.__class__).items():
        object.__setattr__(value, key, rule.check(f"{place}{key}", getattr(value, key)))


def check_keys(given: Iterable[object], known: Collection[str], place: str = "") -> None:
    """Refuse a key that is not known.

    Args:
        given: the keys of a table.
        known: the keys that it may have.
        place: what stands before a key in the message.

    Raises:
        RecipeError: for the first unknown key.
    """
    for key in given:
        if key not in known:
            shown = key if isinstance(key, str) and key.isprintable() else show(key)
            raise RecipeError(
                f"{place}{shown}: unknown key{did_you_mean(key, known)}; "
                f"give one of {', '.join(known)}"
            )


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return `` (did you mean "x"?)`` where a known word is close, else nothing."""
    close = get_close_matches(str(word), list(known), n=1)
    return f" (did you mean {show(close[0])}?)" if close else ""


def show(value: object) -> str:
    """Write a value as a study file would, in one line."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str | bool) else repr(value)


def _shortest(end: float) -> str:
    return str(end) if isinstance(end, int) else f"{end:g}"

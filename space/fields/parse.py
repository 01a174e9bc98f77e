"""One field of a study file: a value, a list of choices, or a range.

The same rule holds for every field::

    width = 16                                   # Fixed: a trial is never asked
    width = [8, 16]                              # Choices; { choices = [8, 16] } in a table
    width = { low = 4, high = 32, step = 4 }     # IntRange; or log = true instead of step
    dropout = { low = 0.0, high = 0.15 }         # FloatRange
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from math import inf, isfinite
from typing import Literal, TypeAlias

from space.errors import FieldError
from space.fields.limits import out_of_range
from space.fields.values import Choices, Field, Fixed, FloatRange, IntRange, Scalar, exact

__all__ = ["Kind", "did_you_mean", "parse_field", "show"]

Kind: TypeAlias = Literal["int", "float", "bool", "str"]


_MOST_STEPS = 1_000_000


def parse_field(
    raw: object,
    *,
    key: str,
    kind: Kind,
    low: float | None = None,
    high: float | None = None,
    allowed: Collection[Scalar] | None = None,
) -> Field:
    """Read one field of a study file.

    Args:
        raw: what the file holds: a value, a list, or a table.
        key: the field's full name, for messages.
        kind: the type of its values; a float field takes whole numbers too.
        low: the smallest value allowed.
        high: the largest value allowed.
        allowed: the only values allowed.

    Raises:
        FieldError: it is not such a field; the message names the value and what to give instead.
    """
    rules = _Rules(key, kind, low, high, allowed)
    if isinstance(raw, Mapping):
        return _parse_table(raw, rules)
    if isinstance(raw, list | tuple):
        return _parse_choices(raw, rules)
    return Fixed(rules.check(raw))


def show(value: object) -> str:
    """Write a value as a study file would."""
    if isinstance(value, str | bool):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{key} = {show(item)}" for key, item in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(show, value))}]"
    return str(value)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `` (did you mean "x"?)`` when a known word is close, else nothing."""
    spellings = {name.casefold(): name for name in known}
    close = get_close_matches(word.casefold(), list(spellings), n=1)
    return f' (did you mean "{spellings[close[0]]}"?)' if close else ""


@dataclass(frozen=True)
class _Rules:
    """The rules for the values of one field."""

    key: str
    kind: Kind
    low: float | None
    high: float | None
    allowed: Collection[Scalar] | None

    def error(self, message: str) -> FieldError:
        return FieldError(self.key, message)

    def check(self, raw: object, label: str = "") -> Scalar:
        """Return the value as its kind's type; ``label`` says which part of the field it is."""
        value = self._typed(raw, label)
        if not isinstance(value, str):
            self._check_bounds(value, label)
        if self.allowed is not None and value not in self.allowed:
            raise self.error(f"{label}{show(value)} is not allowed; {self._way_out(value)}")
        return value

    def number(self, raw: object, label: str) -> int | float:
        """Return the value of a numeric field."""
        value = self.check(raw, label)
        if isinstance(value, str):
            raise self.error(f"{label}{show(value)} is not a number")
        return value

    def _typed(self, raw: object, label: str) -> Scalar:
        if self.kind == "str" and isinstance(raw, str):
            return raw
        if self.kind == "bool" and isinstance(raw, bool):
            return raw
        if self.kind == "int" and type(raw) is int:
            return raw
        if self.kind == "float" and isinstance(raw, int | float) and not isinstance(raw, bool):
            number = _to_float(raw)
            if isfinite(number):
                return number
        raise self.error(f"{label}{show(raw)} is not {self._what(raw)}")

    def _what(self, raw: object) -> str:
        if self.kind == "int" and isinstance(raw, float) and raw.is_integer():
            return f"a whole number; write {int(raw)}"
        if self.kind in ("int", "float") and isinstance(raw, str) and _spells_number(raw):
            return f"a {'whole ' * (self.kind == 'int')}number; remove the quotes"
        if self.kind == "str" and self.allowed is not None:
            return f"one of {_listed(self.allowed)}"
        return {
            "int": "a whole number",
            "float": "a finite number" if isinstance(raw, int | float) else "a number",
            "bool": "true or false",
            "str": "a text in quotes",
        }[self.kind]

    def _check_bounds(self, value: int | float, label: str) -> None:
        if wrong := out_of_range(value, self.low, self.high):
            raise self.error(f"{label}{wrong}")

    def _way_out(self, value: Scalar) -> str:
        options = self.allowed or ()
        if isinstance(value, str):
            hint = did_you_mean(value, [str(option) for option in options])
            return f"give one of {_listed(options)}{hint}"
        numbers = [option for option in options if not isinstance(option, str)]
        nearest = sorted(numbers, key=lambda option: abs(option - value))[:2]
        return "the nearest allowed values: " + ", ".join(map(show, sorted(nearest)))


def _spells_number(text: str) -> bool:
    try:
        return isfinite(float(text))
    except ValueError:
        return False


def _to_float(number: int | float) -> float:
    try:
        return float(number)
    except OverflowError:
        return inf


def _listed(values: Iterable[object]) -> str:
    return ", ".join(map(show, values))


def _parse_choices(raw: Sequence[object], rules: _Rules) -> Choices:
    if not raw:
        raise rules.error("the list is empty; give at least one choice")
    options: list[Scalar] = []
    for item in raw:
        option = rules.check(item, "choice ")
        if option in options:
            raise rules.error(f"choice {show(item)} comes twice; give it once")
        options.append(option)
    return Choices(tuple(options))


def _parse_table(table: Mapping[str, object], rules: _Rules) -> Field:
    known = ("low", "high", "step", "log", "choices")
    for name in table:
        if name not in known:
            hint = did_you_mean(name, known)
            raise rules.error(f'unknown key "{name}"{hint}; a range has low, high, step or log')
    if "choices" in table:
        choices = table["choices"]
        if len(table) > 1:
            other = next(name for name in table if name != "choices")
            raise rules.error(f'"choices" and "{other}" exclude each other; keep one')
        if not isinstance(choices, list | tuple):
            raise rules.error(f"choices {show(choices)} is not a list")
        return _parse_choices(choices, rules)
    if rules.kind in ("bool", "str") or (rules.kind == "float" and rules.allowed is not None):
        raise rules.error("takes a value or a list of choices, not a range")
    for name in ("low", "high"):
        if name not in table:
            raise rules.error(f'the range lacks "{name}"; give low and high')
    return _parse_range(table, rules)


def _parse_range(table: Mapping[str, object], rules: _Rules) -> IntRange | FloatRange:
    low, high = rules.number(table["low"], "low "), rules.number(table["high"], "high ")
    step = _parse_step(table["step"], rules) if "step" in table else None
    log = table.get("log", False)
    if not isinstance(log, bool):
        raise rules.error(f"log {show(log)} is not true or false")
    if low > high:
        raise rules.error(f"low {low} is above high {high}; swap them")
    if log and step is not None:
        raise rules.error("step and log exclude each other; keep one")
    if log and low <= 0:
        raise rules.error(f"low {low} cannot be on a log scale; give a low above 0")
    if step is not None:
        _check_step(low, high, step, rules)
    if rules.kind == "float":
        return FloatRange(float(low), float(high), step, log)
    field = IntRange(int(low), int(high), int(step or 1), log)
    if rules.allowed is not None:
        for value in field.values():
            rules.check(value, "the range's ")
    return field


def _parse_step(raw: object, rules: _Rules) -> int | float:
    step = _Rules(rules.key, rules.kind, None, None, None).number(raw, "step ")
    if step <= 0:
        raise rules.error(f"step {step} is not above 0")
    return step


def _check_step(low: float, high: float, step: float, rules: _Rules) -> None:
    if (high - low) / step > _MOST_STEPS:
        raise rules.error(
            f"step {step} gives the range from {low} to {high} more than {_MOST_STEPS:,} values; "
            "give a larger step, or none"
        )
    left_over = (exact(high) - exact(low)) % exact(step)
    if left_over:
        last = exact(high) - left_over
        raise rules.error(
            f"step {step} leads from {low} to {last}, not to {high}; set high = {last}"
        )

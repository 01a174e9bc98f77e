"""Declare how the words of the layer language are written.

A word is a stem of letters, then maybe a number right behind it, a count after a blank, and
modifiers: ``conv3 16 pad1 bias``. The type of a field says which numbers it takes::

    channels: Annotated[int, Whole("number of channels", 1, 65536, example="16")]
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar, TypeAlias, cast, get_type_hints

from space.errors import LayerError
from space.fields import out_of_range, show, too_large

NUMBERED_MODIFIERS = {"pad": "padding", "stride": "stride", "groups": "groups"}
"""The field that a modifier with a number sets, by its stem."""

FLAG_MODIFIERS = {"bias": ("bias", True), "nobias": ("bias", False)}
"""The field that a modifier without a number sets, and the value."""

_LONGEST = 9  # digits of a number; more are above every limit


@dataclass(frozen=True)
class Whole:
    """A whole number in the layer language.

    Attributes:
        what: its name in messages.
        least: the smallest value allowed.
        most: the largest value allowed.
        example: a value for messages that ask for one.
    """

    what: str
    least: int
    most: int
    example: str = "1"

    pattern: ClassVar[str] = "[0-9]+"

    def read(self, text: str) -> int:
        """Read a number; ``check`` decides whether it is in range.

        Raises:
            LayerError: the text is not a whole number, or has too many digits for any limit.
        """
        if not re.fullmatch(self.pattern, text):
            raise LayerError(
                f"{self.what} {show(text)} is not a whole number from {self.least} to {self.most}"
            )
        if len(text.lstrip("0")) > _LONGEST:
            raise LayerError(f"{self.what} {too_large(text, self.most)}")
        return int(text)

    def check(self, value: object) -> None:
        """Refuse what is not a whole number in range.

        Raises:
            LayerError: it is not; the message says which number it is and what to give.
        """
        if type(value) is not int:
            raise LayerError(
                f"{self.what} {show(value)} is not a whole number from {self.least} to {self.most}"
            )
        if wrong := out_of_range(value, self.least, self.most):
            raise LayerError(f"{self.what} {wrong}")


@dataclass(frozen=True)
class Rate:
    """A decimal number between 0 and 1, both excluded.

    Attributes:
        what: its name in messages.
        example: a value for messages that ask for one.
    """

    what: str
    example: str

    pattern: ClassVar[str] = r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+"

    def read(self, text: str) -> float:
        """Read a number; ``check`` decides whether it is in range.

        Raises:
            LayerError: the text is not a plain decimal number.
        """
        if not re.fullmatch(self.pattern, text):
            raise LayerError(f"{show(text)} is not a {self.what}, {self._wanted}")
        return float(text)

    def check(self, value: object) -> None:
        """Refuse what is not a float above 0 and below 1.

        Raises:
            LayerError: it is not; the message says which number it is and what to give.
        """
        if type(value) is not float or not 0 < value < 1:
            raise LayerError(f"{show(value)} is not a {self.what}, {self._wanted}")

    @property
    def _wanted(self) -> str:
        return f"such as {self.example} (above 0 and below 1)"


Number: TypeAlias = Whole | Rate


@dataclass(frozen=True)
class Spelling:
    """The spelling of the words of one class.

    Attributes:
        stems: the letters that such a word can begin with, each with the fields it stands for.
        number: the field of the number right behind the stem, if there is one. It may be left out
            when the field has a default.
        count: the field of the number that follows after a blank, if there is one.
        modifiers: the fields that modifiers may set, in the order of the canonical spelling.
    """

    stems: Mapping[str, Mapping[str, object]]
    number: str | None = None
    count: str | None = None
    modifiers: tuple[str, ...] = field(default=())

    @classmethod
    def of(
        cls,
        stem: str,
        number: str | None = None,
        count: str | None = None,
        modifiers: tuple[str, ...] = (),
    ) -> Spelling:
        """Declare a class of words with a single stem."""
        return cls({stem: {}}, number, count, modifiers)


def numbers_of(word: type[Any]) -> Mapping[str, Number]:
    """Return the fields of a class of words that hold numbers, with what each may be."""
    return _numbers_of(cast(Hashable, word))


@cache
def _numbers_of(word: type[Any]) -> Mapping[str, Number]:
    hints = get_type_hints(word, include_extras=True)
    return {
        name: number
        for name, hint in hints.items()
        for number in getattr(hint, "__metadata__", ())
        if isinstance(number, Whole | Rate)
    }


def defaults_of(word: type[Any]) -> Mapping[str, object]:
    """Return the fields of a class of words that need not be written, with their defaults."""
    return _defaults_of(cast(Hashable, word))


@cache
def _defaults_of(word: type[Any]) -> Mapping[str, object]:
    return {each.name: each.default for each in fields(word) if each.default is not MISSING}


def spell_number(value: object) -> str:
    """Write a number as in a line, without an exponent."""
    # repr() is the shortest text that reads back as the same number, but may have an exponent.
    return f"{Decimal(repr(value)):f}" if isinstance(value, float) else str(value)


def spell_modifier(name: str, value: object) -> str:
    """Write the modifier that sets a field to a value."""
    for word, setting in FLAG_MODIFIERS.items():
        if setting == (name, value):
            return word
    stem = next(stem for stem, owner in NUMBERED_MODIFIERS.items() if owner == name)
    return f"{stem}{value}"

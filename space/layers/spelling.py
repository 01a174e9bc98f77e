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

NUMBERED_MODIFIERS = {
    "pad": "padding",
    "stride": "stride",
    "dilation": "dilation",
    "groups": "groups",
}
"""The field that a modifier with a number sets, by its stem."""

FLAG_MODIFIERS = {
    "bias": ("bias", True),
    "nobias": ("bias", False),
    "noscale": ("scale", False),
    "norms": ("norms", True),
}
"""The field that a modifier without a number sets, and the value."""

_LONGEST = 9  # digits of a number; more are above every limit

Sides: TypeAlias = int | tuple[int, int]
"""A number for both axes of a map, or one for its height and another one for its width."""


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
class WholeSides:
    """A whole number for both axes, such as ``3``, or one for each, such as ``10x4``.

    Two of the same are one number.

    Attributes:
        what: its name in messages.
        least: the smallest value allowed for both axes; two different ones may be as small as 1.
        most: the largest value allowed.
        example: a value for messages that ask for one.
    """

    what: str
    least: int
    most: int
    example: str = "1"

    pattern: ClassVar[str] = "[0-9]+(?:x[0-9]+)?"

    def read(self, text: str) -> Sides:
        """Read one number, or two with an x between them.

        Raises:
            LayerError: the text is neither, or has too many digits for any limit.
        """
        if "x" not in text:
            return self._one.read(text)
        if not re.fullmatch(self.pattern, text):
            raise LayerError(
                f"{self.what} {show(text)} is not two whole numbers from {min(self.least, 1)} to "
                f"{self.most}, as in 10x4"
            )
        height, width = map(self._one.read, text.split("x"))
        return height if height == width else (height, width)

    def check(self, value: object) -> None:
        """Refuse what is neither a number in range nor two different ones.

        Raises:
            LayerError: it is not; the message says which number it is and what to give.
        """
        if not isinstance(value, tuple):
            self._one.check(value)
            return
        if len(value) != 2 or value[0] == value[1]:
            raise LayerError(
                f"{self.what} {show(value)} is not a whole number, or two different ones for "
                "height and width"
            )
        each = Whole(self.what, min(self.least, 1), self.most)
        for side in value:
            each.check(side)

    @property
    def _one(self) -> Whole:
        return Whole(self.what, self.least, self.most)


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


Number: TypeAlias = Whole | WholeSides | Rate


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
        if isinstance(number, Number)
    }


def defaults_of(word: type[Any]) -> Mapping[str, object]:
    """Return the fields of a class of words that need not be written, with their defaults."""
    return _defaults_of(cast(Hashable, word))


@cache
def _defaults_of(word: type[Any]) -> Mapping[str, object]:
    return {each.name: each.default for each in fields(word) if each.default is not MISSING}


def both(value: Sides) -> tuple[int, int]:
    """Return the numbers for height and width."""
    return value if isinstance(value, tuple) else (value, value)


def spell_number(value: object) -> str:
    """Write a number as in a line, without an exponent."""
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    # repr() is the shortest text that reads back as the same number, but may have an exponent.
    return f"{Decimal(repr(value)):f}" if isinstance(value, float) else str(value)


def spell_modifier(name: str, value: object) -> str:
    """Write the modifier that sets a field to a value."""
    for word, setting in FLAG_MODIFIERS.items():
        if setting == (name, value):
            return word
    stem = next(stem for stem, owner in NUMBERED_MODIFIERS.items() if owner == name)
    return f"{stem}{spell_number(value)}"

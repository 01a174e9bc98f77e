"""The table of all words of the layer language, and how tokens of a line are read with it.

To add a word, write its class (in ``words`` or ``operations``) and list the class in ``WORDS``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from space.errors import LayerError
from space.fields import did_you_mean
from space.layers.operations import Conv, Depthwise, Gap, Linear, Pool, Separable
from space.layers.spelling import (
    FLAG_MODIFIERS,
    NUMBERED_MODIFIERS,
    Number,
    Rate,
    WholeSides,
    defaults_of,
    numbers_of,
)
from space.layers.words import (
    Activation,
    Again,
    BatchNorm,
    Dropout,
    Dropout2d,
    GhostBatchNorm,
    GroupNorm,
    LayerNorm,
    Skip,
    Word,
)

WORDS: tuple[type[Word], ...] = (
    Conv,
    Depthwise,
    Separable,
    Pool,
    Linear,
    Dropout,
    Dropout2d,
    Activation,
    BatchNorm,
    GhostBatchNorm,
    LayerNorm,
    GroupNorm,
    Gap,
    Skip,
    Again,
)
"""Every class of words; messages list their stems in this order."""

_BY_STEM = {stem: word for word in WORDS for stem in word.spelling.stems}
_WITH_DIGITS = "".join(f"{stem}|" for stem in _BY_STEM if not stem.isalpha())
_TOKEN = re.compile(rf"({_WITH_DIGITS}[a-z]+)((?:[0-9.][0-9.x]*)?)", re.ASCII)
_SIDES = re.compile(WholeSides.pattern)


def read_words(tokens: Sequence[str]) -> Iterator[Word]:
    """Read the words of one line.

    Args:
        tokens: the line, split at blanks.

    Raises:
        LayerError: a token is not a word, or does not belong where it stands.
    """
    position = 0
    while position < len(tokens):
        word, position = _read_word(tokens, position)
        yield word


def _read_word(tokens: Sequence[str], position: int) -> tuple[Word, int]:
    """Read the word that starts at a position; return it and the position after it."""
    owner = tokens[position]
    found = _TOKEN.fullmatch(owner)
    stem, digits = (found[1], found[2]) if found else (owner, "")
    word = _BY_STEM.get(stem)
    if word is None or (digits and word.spelling.number is None):
        raise _unknown(owner)
    spelling = word.spelling
    values: dict[str, object] = dict(spelling.stems[stem])
    position += 1
    if digits and spelling.number:
        values[spelling.number] = numbers_of(word)[spelling.number].read(digits)
    elif spelling.number and spelling.number not in defaults_of(word):
        number = numbers_of(word)[spelling.number]
        raise LayerError(f'"{owner}" lacks its {number.what}, as in "{stem}{number.example}"')
    if spelling.count:
        number = numbers_of(word)[spelling.count]
        if position == len(tokens):
            raise LayerError(f'"{owner}" lacks its {number.what}, as in "{owner} {number.example}"')
        values[spelling.count] = number.read(tokens[position])
        position += 1
    if spelling.modifiers:
        position = _read_modifiers(tokens, position, owner, word, values)
    return word(**values), position


def _read_modifiers(
    tokens: Sequence[str], position: int, owner: str, word: type[Word], values: dict[str, object]
) -> int:
    """Read the modifiers from a position on into ``values``; return the position after them."""
    while position < len(tokens) and (modifier := _modifier(tokens[position])):
        token, (name, digits) = tokens[position], modifier
        if name not in word.spelling.modifiers:
            raise LayerError(f'"{token}" does not go with "{owner}"')
        if name in values:
            raise LayerError(f'"{token}" repeats a modifier; "{owner}" takes each modifier once')
        flag = FLAG_MODIFIERS.get(token)
        values[name] = flag[1] if flag else numbers_of(word)[name].read(digits)
        position += 1
    return position


def _modifier(token: str) -> tuple[str, str] | None:
    """Return the field that a modifier sets and its digits; None for another token."""
    if token in FLAG_MODIFIERS:
        return FLAG_MODIFIERS[token][0], ""
    found = _TOKEN.fullmatch(token)
    if found and _SIDES.fullmatch(found[2]) and found[1] in NUMBERED_MODIFIERS:
        return NUMBERED_MODIFIERS[found[1]], found[2]
    return None


def _unknown(token: str) -> LayerError:
    """Return the error for a token that is not a word."""
    if _modifier(token):
        return LayerError(f'"{token}" stands alone; a modifier comes right after its operation')
    for stem in sorted(_BY_STEM, key=len, reverse=True):
        number = _number(_BY_STEM[stem])
        if isinstance(number, Rate) and token.startswith(stem):
            return LayerError(
                f'"{token}" is not a {number.what}, as in "{stem}{number.example}" '
                "(above 0 and below 1)"
            )
    if token.lower() != token:
        return LayerError(f'"{token}" is not a word of the layer language; words are in lower case')
    known = f"({' '.join(_BY_STEM)})"
    hint = did_you_mean(token.rstrip("0123456789."), _BY_STEM)
    return LayerError(f'"{token}" is not a word of the layer language {known}{hint}')


def _number(word: type[Word]) -> Number | None:
    name = word.spelling.number
    return None if name is None else numbers_of(word)[name]

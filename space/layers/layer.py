"""One line of an architecture: text to value and back.

The words of a line act in the order in which the data meets them. Every layer has one canonical
spelling, ``str(layer)``; the parser also takes runs of blanks, modifiers in any order and defaults
that are written out (``pad0``, ``skip1``, ``drop0.10``), and normalises them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from space.errors import LayerError
from space.layers.activations import ACTIVATIONS
from space.layers.operations import Conv, Depthwise, Gap, Linear, Pool, Separable
from space.layers.words import (
    MAX_CHANNELS,
    Activation,
    Again,
    BatchNorm,
    Dropout,
    Operation,
    Skip,
    Word,
)

__all__ = ["Layer"]


@dataclass(frozen=True, slots=True)
class Layer:
    """One line: a non-empty tuple of words, in the order in which the data meets them.

    Raises:
        LayerError: no words, something that is no word, more than one operation, or ``again``
            beside other words.
    """

    words: tuple[Word, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", tuple(self.words))
        for word in self.words:
            if not isinstance(word, Word):
                raise LayerError(f"{word!r} is not a Word; Layer.parse reads text")
        if not self.words:
            raise LayerError("a line needs at least one word, such as conv3 16 or gap")
        if len(self.words) > 1 and any(isinstance(word, Again) for word in self.words):
            raise LayerError(f'"{self}": "again" stands alone on its line')
        operations = [word for word in self.words if isinstance(word, Operation)]
        if len(operations) > 1:
            first, second, *_ = map(str, operations)
            raise LayerError(
                f'"{self}": "{second}" follows "{first}" on one line; give each its own line'
            )

    @classmethod
    def parse(cls, text: str) -> Layer:
        """Read one line, such as ``conv3 16 pad1 bn relu``.

        Raises:
            LayerError: the text is not the layer language; the message names the word.
        """
        if not isinstance(text, str):
            raise LayerError(f"{text!r} is not a line of text, such as conv3 16 relu")
        tokens = text.split()
        try:
            words = tuple(_words(tokens))
        except LayerError as error:
            raise LayerError(f'"{" ".join(tokens)}": {error}') from None
        return cls(words)

    @property
    def operation(self) -> Operation | None:
        """The word that makes a new map, if the line has one."""
        return next((word for word in self.words if isinstance(word, Operation)), None)

    @property
    def again(self) -> Again | None:
        """The word, if this is an ``again`` line."""
        word = self.words[0]
        return word if isinstance(word, Again) else None

    def __str__(self) -> str:
        return " ".join(map(str, self.words))


_NUMBERED = re.compile(r"([a-z]+)([0-9]{1,9})")
_DROPOUT = re.compile(r"drop([0-9]+(?:\.[0-9]+)?|\.[0-9]+)")
_MODIFIERS = {"pad": "padding", "stride": "stride", "groups": "groups"}
_PLAIN: dict[str, Word] = {
    **{name: Activation(name) for name in ACTIVATIONS},
    "bn": BatchNorm(),
    "gap": Gap(),
    "skip": Skip(),
    "again": Again(),
}
_WITH_NUMBER: dict[str, Callable[[int], Word]] = {
    "maxpool": lambda size: Pool("max", size),
    "avgpool": lambda size: Pool("avg", size),
    "skip": Skip,
    "again": Again,
}
_CONVOLUTIONS: dict[str, tuple[Callable[..., Word], bool, frozenset[str]]] = {
    "conv": (Conv, True, frozenset({"padding", "stride", "groups", "bias"})),
    "depthwise": (Depthwise, False, frozenset({"padding", "stride", "bias"})),
    "separable": (Separable, True, frozenset({"padding", "stride", "bias"})),
}


def _words(tokens: list[str]) -> list[Word]:
    words: list[Word] = []
    position = 0
    while position < len(tokens):
        word, position = _word(tokens, position)
        words.append(word)
    return words


def _word(tokens: list[str], position: int) -> tuple[Word, int]:
    token = tokens[position]
    if token in _PLAIN:
        return _PLAIN[token], position + 1
    if token == "linear":
        features = _count(tokens, position + 1, token, "features")
        return _modified(Linear, token, (features,), frozenset({"bias"}), tokens, position + 2)
    dropout = _DROPOUT.fullmatch(token)
    if dropout and 0 < float(dropout[1]) < 1:
        return Dropout(float(dropout[1])), position + 1
    numbered = _NUMBERED.fullmatch(token)
    name, number = (numbered[1], int(numbered[2])) if numbered else (token, 0)
    if numbered and name in _WITH_NUMBER:
        return _WITH_NUMBER[name](number), position + 1
    if numbered and name in _CONVOLUTIONS:
        make, counted, allowed = _CONVOLUTIONS[name]
        if not counted:
            return _modified(make, token, (number,), allowed, tokens, position + 1)
        channels = _count(tokens, position + 1, token, "channels")
        return _modified(make, token, (number, channels), allowed, tokens, position + 2)
    raise LayerError(_unknown(token, name))


def _count(tokens: list[str], position: int, owner: str, what: str) -> int:
    if position == len(tokens):
        raise LayerError(f'"{owner}" lacks its number of {what}, as in "{owner} 16"')
    token = tokens[position]
    if not re.fullmatch(r"[0-9]{1,9}", token):
        raise LayerError(
            f'"{token}" is not a number of {what} (a whole number from 1 to {MAX_CHANNELS})'
        )
    return int(token)


def _modified(
    make: Callable[..., Word],
    owner: str,
    arguments: tuple[int, ...],
    allowed: frozenset[str],
    tokens: list[str],
    position: int,
) -> tuple[Word, int]:
    options: dict[str, int | bool] = {}
    while position < len(tokens) and (modifier := _modifier(tokens[position])):
        key, value = modifier
        token = tokens[position]
        if key not in allowed:
            raise LayerError(f'"{token}" does not go with "{owner}"')
        if key in options:
            raise LayerError(f'"{token}" comes second; "{owner}" takes each modifier once')
        options[key] = value
        position += 1
    return make(*arguments, **options), position


def _modifier(token: str) -> tuple[str, int | bool] | None:
    if token in ("bias", "nobias"):
        return "bias", token == "bias"
    numbered = _NUMBERED.fullmatch(token)
    if numbered and numbered[1] in _MODIFIERS:
        return _MODIFIERS[numbered[1]], int(numbered[2])
    return None


def _unknown(token: str, name: str) -> str:
    if _modifier(token):
        return f'"{token}" stands alone; a modifier comes right after its operation'
    if name in _CONVOLUTIONS:
        return f'"{token}" lacks its kernel size, as in "{name}3"'
    if name in ("maxpool", "avgpool"):
        return f'"{token}" lacks its size, as in "{name}2"'
    if token.startswith("drop"):
        return f'"{token}" is not a dropout rate, as in "drop0.1" (above 0 and below 1)'
    if token.lower() != token:
        return f'"{token}" is not a word of the layer language; words are in lower case'
    known = (*_CONVOLUTIONS, "maxpool", "avgpool", "linear", "drop", *_PLAIN)
    return f'"{token}" is not a word of the layer language ({" ".join(known)})'

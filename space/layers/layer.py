"""One line of an architecture: text to value and back.

The words of a line act in the order in which the data meets them. Every layer has one canonical
spelling, ``str(layer)``; the parser also takes runs of blanks, modifiers in any order and defaults
that are written out (``pad0``, ``skip1``, ``drop0.10``), and normalises them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from space.errors import LayerError
from space.layers.vocabulary import read_words
from space.layers.words import Again, Operation, Word

__all__ = ["Layer"]


@dataclass(frozen=True, slots=True)
class Layer:
    """One line: a non-empty tuple of words, in the order in which the data meets them.

    Attributes:
        words: at least one. A list is accepted and becomes a tuple.

    Raises:
        LayerError: there are no words, one of them is not a ``Word``, more than one makes a new
            map, or ``again`` stands beside other words.
    """

    words: tuple[Word, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", tuple(self.words))
        for word in self.words:
            if not isinstance(word, Word):
                raise LayerError(f"{word!r} is not a Word; use Layer.parse to read text")
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
            LayerError: the text does not follow the layer language; the message names the word.
        """
        if not isinstance(text, str):
            raise LayerError(f"{text!r} is not a line of text, such as conv3 16 relu")
        return _parsed(text)

    @property
    def operation(self) -> Operation | None:
        """Return the word that makes a new map; None when the line has none."""
        return next((word for word in self.words if isinstance(word, Operation)), None)

    @property
    def again(self) -> Again | None:
        """Return the word of an ``again`` line; None for another line."""
        word = self.words[0]
        return word if isinstance(word, Again) else None

    def __str__(self) -> str:
        return " ".join(map(str, self.words))


@lru_cache(8192)
def _parsed(text: str) -> Layer:
    """Read a line; a search reads the same lines again and again."""
    tokens = text.split()
    try:
        words = tuple(read_words(tokens))
    except LayerError as error:
        raise LayerError(f'"{" ".join(tokens)}": {error}') from None
    return Layer(words)

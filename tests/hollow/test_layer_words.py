"""Every word of the layer language, over the graph: what it adds to a step."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from space.layers.operations import Pooling
from space.layers.spelling import defaults_of, numbers_of, spell_modifier
from space.layers.vocabulary import WORDS
from space.layers.words import Word
from tests.hollow.trainings import CHUNK_BATCHES, Asked, ask
from trainer.recipe import Recipe

pytestmark = pytest.mark.hollow

AROUND = "conv1 16\nconv1 16\n{}conv1 10\ngap"

NODES = 33
"""Nodes of the graph of a step of the three convolutions around a word, with AdamW."""

LAUNCHES_BESIDE = 5
"""Launches of such a step beside its graph."""

NODES_OF_A_NEW_WORD = 3
NODES_OF_WORDS = {
    "conv3 16": 3,
    "conv3 16 pad2": 3,
    "conv3 16 stride2": 3,
    "conv3 16 dilation2": 3,
    "conv3 16 groups2": 3,
    "conv3 16 bias": 6,
    "depthwise3": 3,
    "depthwise3 pad2": 3,
    "depthwise3 stride2": 3,
    "depthwise3 dilation2": 3,
    "depthwise3 bias": 6,
    "separable3 16": 6,
    "separable3 16 pad2": 6,
    "separable3 16 stride2": 6,
    "separable3 16 dilation2": 6,
    "separable3 16 bias": 12,
    "maxpool2": 3,
    "maxpool2 pad1": 3,
    "maxpool2 stride1": 3,
    "avgpool2": 2,
    "avgpool2 pad1": 2,
    "avgpool2 stride1": 2,
    "linear 16": 5,
    "linear 16 nobias": 4,
    "drop0.1": 2,
    "dropout2d0.1": 4,
    "relu": 2,
    "leakyrelu": 2,
    "silu": 2,
    "hardswish": 2,
    "gelu": 2,
    "elu": 2,
    "tanh": 2,
    "sigmoid": 2,
    "prelu": 4,
    "bn": 3,
    "bn noscale": 3,
    "gbn4": 72,
    "gbn4 noscale": 72,
    "ln": 14,
    "gn4": 14,
    "gap": 5,
    "skip": 2,
    "again": 4,
    "again norms": 4,
}
"""Nodes that a word adds to the graph of a step, forward and backward and update.

Of two graphs, for batches of two sizes, the larger one counts; those of ``gbn4`` are of a batch
that its parts do not divide.
"""

LAUNCHES_OF_WORDS = {"drop0.1": 2, "dropout2d0.1": 2}
"""Launches that a word adds to a step beside its graph: dropout's seed is written for each."""


def texts() -> Iterator[str]:
    """Yield the shortest text of every word, and that text with each of its modifiers."""
    for word in WORDS:
        for stem in word.spelling.stems:
            plain = _shortest(word, stem)
            yield plain
            for name in word.spelling.modifiers:
                yield f"{plain} {_modifier(word, name)}"


def _shortest(word: type[Word], stem: str) -> str:
    spelling, text = word.spelling, stem
    if spelling.number and spelling.number not in defaults_of(word):
        text += numbers_of(word)[spelling.number].example
    if spelling.count:
        text += f" {numbers_of(word)[spelling.count].example}"
    return text


def _modifier(word: type[Word], name: str) -> str:
    default = defaults_of(word)[name]
    if isinstance(default, bool):
        return spell_modifier(name, not default)
    # Of a pool 2 is more padding than it may have, and the stride that it has anyway.
    return spell_modifier(name, 1 if issubclass(word, Pooling) else 2)


@cache
def around(text: str, batches: int = 2) -> Asked:
    """Train the network with a word in its middle, with none for an empty text."""
    return ask(AROUND.format(f"{text}\n" if text else ""), Recipe(epochs=3), batches)


def launches_beside(text: str) -> float:
    """Return the launches of a step beside its graph, once the graphs are recorded.

    Epochs that are augmented in one chunk differ by their steps alone.
    """
    few, many = (around(text, batches).launches for batches in (2, CHUNK_BATCHES - 1))
    return (many - few) / (CHUNK_BATCHES - 3) - 1


def test_the_step_around_the_words_keeps_its_budget() -> None:
    """A step has no more nodes, and launches no more beside its graph, than the budget says."""
    assert max(around("").graphs) <= NODES
    assert launches_beside("") <= LAUNCHES_BESIDE


@pytest.mark.parametrize("text", list(texts()))
def test_every_word_is_recorded(text: str) -> None:
    """A word breaks no capture, launches nothing beside one, and adds no waiting."""
    asked = around(text)
    assert asked.violations == []
    assert asked.beside == []
    assert len(asked.graphs) == 2
    assert asked.waits == around("").waits


@pytest.mark.parametrize("text", list(texts()))
def test_every_word_keeps_its_budget(text: str) -> None:
    """A word adds no more nodes and launches to a step than its budget says."""
    nodes = max(around(text).graphs) - max(around("").graphs)
    launches = launches_beside(text) - launches_beside("")
    assert nodes <= NODES_OF_WORDS.get(text, NODES_OF_A_NEW_WORD)
    assert launches <= LAUNCHES_OF_WORDS.get(text, 0)


def test_budgets_are_of_words() -> None:
    """No budget is of a word that is gone, and every word that is there has one."""
    assert NODES_OF_WORDS.keys() == set(texts())
    assert LAUNCHES_OF_WORDS.keys() <= set(texts())

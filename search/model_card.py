"""The model card of an exported network: what it is, what it costs, how it was measured."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from string import punctuation
from typing import Any

from search.trained import Figures, Spread, TrainedNetwork
from space.cost import cost
from space.words import format_shape

__all__ = ["as_markdown", "model_card", "per_cent"]

_HARMLESS = re.compile(r"[A-Za-z0-9]+([ ._:/+()-]*[A-Za-z0-9)+]+)*")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
_MOST_CLASSES = 20


def model_card(trained: TrainedNetwork, package: str) -> str:
    """Give the card in Markdown.

    Args:
        trained: the network.
        package: the name under which it is imported; a Python identifier.
    """
    sections = [
        [f"# {as_markdown(trained.name)}"],
        _summary(trained),
        ["## Use"],
        _usage(trained, package),
        ["## Accuracy"],
        _accuracy(trained.figures),
        ["## Cost"],
        _cost(trained),
        ["## Layers"],
        _layers(trained),
        ["## Recipe"],
        _recipe(trained),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def as_markdown(text: str) -> str:
    """Show any text as it is, on one line, whatever Markdown or HTML it looks like."""
    line = " ".join(text.split())
    line = "".join(character if character.isprintable() else "?" for character in line)
    if _HARMLESS.fullmatch(line) and "://" not in line and "www." not in line:
        return line
    return "".join(f"\\{c}" if c in punctuation else c for c in line) or "(no name)"


def per_cent(share: float) -> str:
    """Write a share, 0 to 1, with two decimals."""
    return f"{100 * share:.2f} %"


def _summary(trained: TrainedNetwork) -> list[str]:
    architecture, names = trained.architecture, trained.class_names
    shown = ", ".join(map(as_markdown, names[:_MOST_CLASSES]))
    if len(names) > _MOST_CLASSES:
        shown += f" and {len(names) - _MOST_CLASSES} more"
    return [
        f"A convolutional network of {cost(architecture).parameters:,} parameters for "
        f"{as_markdown(trained.dataset)}:",
        f"images of {format_shape(architecture.input_shape)} in, one logit for each of "
        f"{len(names)} classes out ({shown}).",
        "Found by [flyweight](https://pypi.org/project/flyweight/), of which it needs nothing.",
    ]

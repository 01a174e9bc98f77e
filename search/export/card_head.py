"""The head of a model card that the Hugging Face Hub reads, and what it says of the licence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from search.errors import printable
from search.export.trained_network import TrainedNetwork
from trainer.data import find_dataset
from trainer.data.entry import NamedDataset
from trainer.errors import DataError

__all__ = ["LICENCE", "NOTICE", "as_yaml", "head_lines"]

LICENCE = (
    "What flyweight wrote of these files is under the MIT licence; the weights belong to whoever",
    "trained them, who chooses their licence (`license` in the head of this page) and may publish",
    "them.",
)
"""What a card says of the licence."""

NOTICE = "Functions: (c) 2026 The flyweight authors, MIT licence. Weights: whoever trained them."
"""The same in a line, for the comment of a source that flyweight's own functions are copied to."""


def head_lines(
    trained: TrainedNetwork, library: str, tags: Sequence[str], *, int8: bool
) -> Iterator[str]:
    """Yield the lines of the head, YAML between two lines of dashes.

    Args:
        trained: the network.
        library: which loads the files, as the Hub calls it; empty where they need none.
        tags: of the format.
        int8: whether the files compute in int8, of which the accuracy is given then.
    """
    yield "---"
    yield "license: unknown # of the weights; name it before you publish them"
    if library:
        yield f"library_name: {library}"
    yield "pipeline_tag: image-classification"
    yield "tags:"
    for tag in ("image-classification", "tinyml", "flyweight", *tags):
        yield f"- {tag}"
    if _is_named(trained.dataset):
        yield "datasets:"
        yield f"- {as_yaml(trained.dataset)}"
    yield "metrics:"
    yield "- accuracy"
    first = trained.figures.runs[0] if trained.figures.runs else None
    accuracy = None if first is None else first.int8 if int8 else first.accuracy
    if accuracy is not None:
        yield "model-index:"
        yield f"- name: {as_yaml(trained.name)}"
        yield "  results:"
        yield "  - task:"
        yield "      type: image-classification"
        yield "    dataset:"
        yield f"      name: {as_yaml(trained.dataset)}"
        yield f"      type: {as_yaml(trained.dataset)}"
        yield "      split: test"
        yield "    metrics:"
        yield "    - type: accuracy"
        yield f"      name: of these weights after the last epoch{', in int8' if int8 else ''}"
        yield f"      value: {accuracy:.6f}"
    yield "---"


def as_yaml(text: str) -> str:
    """Return a text in quotes for YAML, in which no character means anything but itself.

    Markdown, as which the head is read elsewhere, finds nothing in it either.
    """
    line = printable(" ".join(text.split()))
    return f'"{"".join(c if c.isalnum() or c in " :-" else _escaped(c) for c in line)}"'


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\U{code:08x}"


def _is_named(dataset: str) -> bool:
    """Return whether a data set has a name of its own, and not a path of the user's."""
    try:
        return isinstance(find_dataset(dataset), NamedDataset)
    except DataError:
        return False

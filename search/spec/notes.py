"""What is worth knowing of a study before it runs, though nothing is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from search.spec.budget import Budget, activation_note
from search.spec.target import Target
from space.architecture import Architecture
from space.layers import Again, Gap, Layer, Linear, Word
from space.network import build
from space.search_space import SearchSpace
from trainer.backends.choose import has_kernels

__all__ = ["kernel_note", "notes", "words_without_kernels"]


def notes(
    space: SearchSpace, budget: Budget, target: Target | None = None, *, kernels: bool = True
) -> Iterator[str]:
    """Say what is worth knowing of a space and a budget, one sentence each.

    Args:
        space: the search space.
        budget: the limits on the cost of a candidate.
        target: what the network is to run on; None where that is not said.
        kernels: whether the compiled kernels matter, as they do on a CPU.
    """
    board = "" if target is None else target.note(budget)
    stem, slow = activation_note(space, budget), kernel_note(space) if kernels else ""
    for note in (board, stem, slow):
        if note:
            yield note


def kernel_note(space: SearchSpace) -> str:
    """Say which words of a space have no compiled kernels; nothing where all have.

    Args:
        space: the search space.
    """
    words = words_without_kernels(space)
    if not words:
        return ""
    *others, last = words
    listed = f"{', '.join(others)} and {last} have" if others else f"{last} has"
    return (
        f"{listed} no compiled kernel: on a CPU, networks with such words take PyTorch's path, "
        "which is slower"
    )


def words_without_kernels(space: SearchSpace) -> tuple[str, ...]:
    """List the words of a space that the compiled kernels do not support, without counts.

    Args:
        space: the search space.
    """
    kinds = dict.fromkeys(map(_narrow, space.words()))
    without = [word for word in kinds if not _has_kernels(word)]
    return tuple(dict.fromkeys(str(word).split()[0] for word in without))


def _narrow(word: Word) -> Word:
    """Return a word with as few channels as it can have, which are of no matter here."""
    count = word.spelling.count
    if count is None:
        return word
    return replace(word, **{count: getattr(word, "groups", 1)})


def _has_kernels(word: Word) -> bool:
    if isinstance(word, Again | Linear):
        return True
    height, width = word.smallest_input((2, 2))
    channels = 2 * int(getattr(word, "groups", 1))
    architecture = Architecture((channels, height, width), (Layer((word,)), Layer((Gap(),))))
    return has_kernels(build(architecture), architecture.input_shape)

"""The choices of a candidate, taken away from it and given back one at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from search.spec.candidate import Candidate
from space.architecture import Architecture
from space.cost import cost
from space.errors import SpaceError
from space.layers.activations import ACTIVATIONS
from space.layers.words import Shape
from trainer.recipe import Recipe

__all__ = ["ExplainStep", "explain_steps"]

_NORMS = re.compile(r"(bn|gbn\d*|ln|gn\d*)")
_WIDENING = re.compile(r"(conv|separable)[\dx]+")
_PLAIN = Recipe(optimizer="sgd", learning_rate=0.01, momentum=0.9, schedule="none", batch_size=128)
_PLAIN_ACTIVATION = "relu"


@dataclass(frozen=True)
class ExplainStep:
    """A candidate on the way from the skeleton to the champion.

    Attributes:
        name: of the choice that it adds; ``skeleton`` for the first.
        target: what the choice is, a sentence.
        candidate: with this choice and all before it.
    """

    name: str
    target: str
    candidate: Candidate


@dataclass(frozen=True)
class _Choice:
    """One choice: how a candidate looks without it.

    Attributes:
        name: lower case letters and hyphens.
        target: a sentence.
        lines: from the lines of a network to those without the choice.
        recipe: the keys of the recipe that are the choice.
    """

    name: str
    target: str
    lines: Callable[[Sequence[str]], list[str]] | None = None
    recipe: tuple[str, ...] = ()


def explain_steps(champion: Candidate) -> tuple[ExplainStep, ...]:
    """Return the steps from a plain skeleton to a candidate.

    The skeleton has the convolutions and pools of the candidate: plain, all of one width, with
    ``relu``, trained by SGD at a fixed rate on images as they are. Each step gives one choice back.
    As long as there is one width, it is the one that keeps the parameters nearest to those of the
    candidate. A choice that the candidate does not have is left out, and so is one without which
    its lines do not fit together. The last step is the candidate.

    Args:
        champion: the candidate to explain.
    """
    away = [choice for choice in _CHOICES if _without(champion, [choice]) not in (None, champion)]
    # What is hard to take away together is kept, from the last choice on.
    while away and _without(champion, away) is None:
        away = [choice for choice in away if choice.lines is None] + [
            choice for choice in away if choice.lines is not None
        ][:-1]
        away.sort(key=_CHOICES.index)
    return tuple(_steps(champion, away))


def _steps(champion: Candidate, away: list[_Choice]) -> Iterator[ExplainStep]:
    current = _without(champion, away)
    assert current is not None
    yield ExplainStep("skeleton", "Begin with plain convolutions of one width.", current)
    for number, choice in enumerate(away):
        following = _without(champion, away[number + 1 :])
        if following is None or following == current:
            continue  # It comes with the next one.
        yield ExplainStep(choice.name, choice.target, following)
        current = following


def _without(candidate: Candidate, choices: Collection[_Choice]) -> Candidate | None:
    """Return a candidate without some choices; None where its lines do not fit together then."""
    lines = [str(layer) for layer in candidate.architecture.layers]
    recipe = candidate.recipe
    for choice in choices:
        if choice.lines is not None:
            lines = choice.lines(lines)
        plain: dict[str, Any] = {key: getattr(_PLAIN, key) for key in choice.recipe}
        recipe = replace(recipe, **plain)
    if _WIDTHS in choices:
        lines = _one_width(lines, candidate.architecture)
    try:
        architecture = Architecture.parse(lines, candidate.architecture.input_shape)
    except SpaceError:
        return None
    if architecture.classes != candidate.architecture.classes:
        return None
    return Candidate(architecture, recipe)


def _one_width(lines: Sequence[str], like: Architecture) -> list[str]:
    """Give all convolutions but the classifier one width, so that the parameters stay as many."""
    weighted = [i for i, line in enumerate(lines) if _has_weights(line)]
    wide = [i for i in weighted[:-1] if _WIDENING.fullmatch(lines[i].split()[0])]
    if not wide:
        return list(lines)

    def at(width: int) -> list[str]:
        found = list(lines)
        for i in wide:
            operation, _, *rest = lines[i].split()
            found[i] = " ".join([operation, str(width), *rest])
        return found

    wanted = cost(like).parameters
    widest = 2 * max(int(lines[i].split()[1]) for i in wide)
    return min(
        (at(width) for width in range(1, widest + 1)),
        key=lambda each: abs(_parameters(each, like.input_shape) - wanted),
    )


def _has_weights(line: str) -> bool:
    return re.match(r"(conv|separable|depthwise|linear)", line) is not None


def _parameters(lines: Sequence[str], shape: Shape) -> float:
    """Count parameters; infinite where the lines do not fit together."""
    try:
        return float(cost(Architecture.parse(lines, shape)).parameters)
    except SpaceError:
        return float("inf")


def _dropping(leaves: Callable[[str], bool]) -> Callable[[Sequence[str]], list[str]]:
    """Return what removes words from lines, with the modifiers behind them, and empty lines."""

    def drop(lines: Sequence[str]) -> list[str]:
        found = []
        for line in lines:
            kept, gone = [], False
            for word in line.split():
                gone = leaves(word) or (gone and word in _MODIFIERS_OF_NORMS)
                if not gone:
                    kept.append(word)
            if kept:
                found.append(" ".join(kept))
        return found

    return drop


_MODIFIERS_OF_NORMS = frozenset({"noscale"})


def _plain_activations(lines: Sequence[str]) -> list[str]:
    return [
        " ".join(_PLAIN_ACTIVATION if word in ACTIVATIONS else word for word in line.split())
        for line in lines
    ]


def _plain_convolutions(lines: Sequence[str]) -> list[str]:
    return [re.sub(r"^separable", "conv", line) for line in lines]


_WIDTHS = _Choice("widths", "Give each convolution a width of its own.", list)

_CHOICES = (
    _Choice("separable", "Split convolutions into depthwise and 1x1 ones.", _plain_convolutions),
    _WIDTHS,
    _Choice("norms", "Normalise the maps.", _dropping(lambda word: bool(_NORMS.fullmatch(word)))),
    _Choice("activation", "Take another activation than relu.", _plain_activations),
    _Choice(
        "dropout",
        "Drop some of the maps while training.",
        _dropping(lambda word: re.fullmatch(r"drop[\d.]+", word) is not None),
    ),
    _Choice(
        "skips",
        "Add the input of a line to its output.",
        _dropping(lambda word: re.fullmatch(r"skip\d*", word) is not None),
    ),
    _Choice(
        "again",
        "Apply lines once more with the same weights.",
        lambda lines: [line for line in lines if not line.startswith("again")],
    ),
    _Choice(
        "optimizer-and-schedule",
        "Take the optimizer, the rate and its schedule that were found.",
        recipe=(
            "optimizer",
            "learning_rate",
            "momentum",
            "nesterov",
            "schedule",
            "step_epochs",
            "decay",
            "warmup",
            "tail",
            "gradient_clip",
        ),
    ),
    _Choice("batch-size", "Take another batch size than 128.", recipe=("batch_size",)),
    _Choice(
        "regularisation",
        "Hold the weights and the labels back.",
        recipe=("weight_decay", "l1", "label_smoothing"),
    ),
    _Choice("augmentation", "Change the training images at random.", recipe=("augment",)),
    _Choice(
        "averaging",
        "Judge an average of the weights.",
        recipe=("averaging", "averaging_share", "clean_statistics"),
    ),
)
"""In the order in which they are given back: the network first, then how it is trained."""

"""Describe how a step of a ladder differs from the one before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from search.spec.ladder_step import LadderStep
from search.text import plural
from space.cost import cost
from trainer.augment import AugmentStep, step_to_dict
from trainer.optim.schedules import SCHEDULE_KEYS, SCHEDULES
from trainer.recipe import Recipe

__all__ = ["changes"]

# Networks with less in common are called different; a list of all differences would not help.
_LEAST_ALIKE = 0.4


def changes(before: LadderStep, step: LadderStep) -> list[str]:
    """Return the changes, one phrase each; empty if architecture and recipe are the same."""
    return [*_of_network(before, step), *_of_recipe(before.recipe, step.recipe)]


def _of_network(before: LadderStep, step: LadderStep) -> Iterator[str]:
    old, new = before.architecture, step.architecture
    if old == new:
        return
    counts = [cost(architecture).parameters for architecture in (old, new)]
    if counts[0] != counts[1]:
        yield f"{counts[0]:,} -> {counts[1]:,} parameters"
    yield from _of_lines([str(x) for x in old.layers], [str(x) for x in new.layers])


def _of_lines(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    matcher = SequenceMatcher(a=old, b=new, autojunk=False)
    pairs = _changed_words(old, new)
    if pairs is not None:
        yield from pairs
        return
    if matcher.ratio() < _LEAST_ALIKE:
        before = "" if len(old) == len(new) else f" instead of {len(old)}"
        yield f"another network of {plural(len(new), 'line')}{before}"
        return
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "replace":
            yield f"{_quoted(old[a:b])} became {_quoted(new[c:d])}"
        elif kind == "delete":
            yield f"without {_quoted(old[a:b])}"
        elif kind == "insert":
            yield f"with {_quoted(new[c:d])}"


def _changed_words(old: Sequence[str], new: Sequence[str]) -> list[str] | None:
    """Find one and the same change of words in all lines that differ, such as an added ``bn``."""
    if len(old) != len(new):
        return None
    found = {_words_changed(a, b) for a, b in zip(old, new, strict=True) if a != b}
    if len(found) != 1:
        return None
    before, after = found.pop()
    count = sum(a != b for a, b in zip(old, new, strict=True))
    lines = f"in {plural(count, 'line')}"
    if not before:
        return [f"with {after} {lines}"]
    return [f"{before} became {after} {lines}" if after else f"without {before} {lines}"]


def _words_changed(old: str, new: str) -> tuple[str, str]:
    a, b = old.split(), new.split()
    while a and b and a[0] == b[0]:
        a, b = a[1:], b[1:]
    while a and b and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    return " ".join(a), " ".join(b)


def _quoted(lines: Sequence[str]) -> str:
    return '"' + ", ".join(lines) + '"'


def _of_recipe(old: Recipe, new: Recipe) -> Iterator[str]:
    before, after = old.to_dict(), new.to_dict()
    for key, value in after.items():
        if key not in _DESCRIBED_TOGETHER and before[key] != value:
            yield f"{key} {before[key]} -> {value}"
    for name, describe in (("schedule", _schedule), ("augmentation", _augmentation)):
        if describe(old) != describe(new):
            yield f"{name} {describe(old)} -> {describe(new)}"


_DESCRIBED_TOGETHER = ("seed", "augment", "schedule", *SCHEDULE_KEYS)


def _schedule(recipe: Recipe) -> str:
    return SCHEDULES[recipe.schedule].describe(recipe)


def _augmentation(recipe: Recipe) -> str:
    return " then ".join(map(_strengths, recipe.augment)) or "none"


def _strengths(step: AugmentStep) -> str:
    values = step_to_dict(step)
    kind = values.pop("kind")
    values_shown = [
        f"{key} {value:g}" for key, value in values.items() if isinstance(value, float) and value
    ]
    return f"{kind} ({', '.join(values_shown)})"

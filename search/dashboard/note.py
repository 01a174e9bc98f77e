"""The note of a study for optuna-dashboard: what runs, how far it is, and what comes next."""

from __future__ import annotations

from collections.abc import Iterator

from search.export.package import package_name_of
from search.pages.markdown import cell_text
from search.status import Status, status_of
from search.storage.urls import storage_option
from search.study.study import StoredStudy
from search.text import percent
from space.layers.words import format_shape

__all__ = ["study_note"]

_ABOUT = """\
### How to read these pages

- A candidate over the budget is rejected before it is trained. The pages call it *Pruned*; its
  `outcome` is `rejected`, and `reason` says why. A trial that was stopped while it trained is
  *Pruned* too, with `outcome` `pruned`.
- A *step* is an epoch, counted from 0. The *objective value* is the validation floor: the lowest
  validation accuracy of the last epochs. Intermediate values are the validation accuracy of each
  epoch.
- Every completed trial has pictures under *Artifacts*: its curves, its network, its confusion
  matrix, its mistakes.
- These pages only read. Creating, renaming, deleting and editing are refused: use
  `flyweight studies` for that."""


def study_note(stored: StoredStudy) -> str:
    """Return the note of a study in Markdown.

    Nothing in it that a study file gave is read as Markdown or HTML.
    """
    return "\n".join(_lines(stored, status_of(stored)))


def _lines(stored: StoredStudy, state: Status) -> Iterator[str]:
    data, file = stored.data, stored.file
    counts = ", ".join(f"{count:,} {name}" for name, count in state.outcomes.items() if count)
    total = max(state.trained, state.total)
    yield f"**{state.trained:,} of {total:,} trials trained** ({counts or 'none yet'})"
    yield ""
    yield "| | |"
    yield "|---|---|"
    for name, value in (
        ("data", f"{data.name}, {len(data.classes)} classes of {format_shape(data.input_shape)}"),
        ("classes", ", ".join(data.classes)),
        ("budget", file.budget.limits_text()),
        ("target", "none" if state.target is None else percent(state.target)),
        ("asked for", state.asked),
        ("search", f"{file.settings.sampler}, pruner {file.settings.pruner}"),
        ("rejected by", state.rejections),
        ("advice", state.advice),
    ):
        if value:
            yield f"| {name} | {cell_text(value)} |"
    yield ""
    if state.best is None:
        yield "No trial has completed yet."
    else:
        best = state.best
        yield (
            f"**Best so far: trial {best.trial}**, {best.parameters:,} parameters, validation "
            f"floor {percent(best.score)}" + (f", {best.on_chip} in int8" if best.on_chip else "")
        )
        yield ""
        yield "```text"
        yield from (state.architecture or "").splitlines()
        yield "```"
    yield from _next(state, storage_option(stored.url))
    yield ""
    yield _ABOUT


def _next(state: Status, storage: str) -> Iterator[str]:
    yield ""
    if state.test_floors:
        mean = sum(state.test_floors) / len(state.test_floors)
        yield f"Confirmed: mean test floor {percent(mean)} over {len(state.test_floors)} seeds."
    if state.best is not None:
        yield "Next:"
        yield ""
        yield "```sh"
        if not state.test_floors:
            yield f"flyweight confirm {state.name}{storage}"
        limits: list[int | None] = [each.limit for each in state.limits if each.best]
        for limit in limits or [None]:
            of_several = "" if limit is None else f" --parameters {limit}"
            out = package_name_of(state.name if limit is None else f"{state.name}-{limit}")
            yield f"flyweight export {state.name}{of_several} --out exports/{out}{storage}"
        yield "```"

"""A replayed ladder as a page: target, result and analysis, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from search.ladder.analysis import analysis, compare, goal_words
from search.ladder.report import ladder_columns, origin_of, protocol_of
from search.ladder.result import StepResult
from search.pages.blocks import Block, Code, Figure, Lines, Page, Section, Table, Text
from search.pictures.curves import replays_picture
from search.pictures.network import network_picture
from search.text import at_most, percent, plural

__all__ = ["ladder_page"]


def ladder_page(results: Sequence[StepResult], command: str) -> Page:
    """Return the page on one ladder or more.

    Args:
        results: of the steps, ladder after ladder.
        command: the command line that made them.
    """
    ladders = list(dict.fromkeys(id(result.ladder) for result in results))
    groups = [[each for each in results if id(each.ladder) == ladder] for ladder in ladders]
    titles = [group[0].ladder.settings.title for group in groups]
    sections = [
        Section(title, tuple(_overview(group))) for title, group in zip(titles, groups, strict=True)
    ]
    for result in results:
        name = result.step.name
        if len(groups) > 1:
            name = f"{result.ladder.settings.title}: {name}"
        sections.append(Section(name, tuple(_step(result, results))))
    sections.append(Section("To reproduce", (Code(command), Text(origin_of(results)))))
    title = titles[0] if len(titles) == 1 else "Replayed ladders"
    return Page(title, _lead(results), tuple(sections), "Written by flyweight.")


def _lead(results: Sequence[StepResult]) -> str:
    held = [each for each in results if each.floor is not None]
    if not held:
        return "No step has been replayed to its end."
    best = max(held, key=lambda result: result.floor.mean if result.floor else 0.0)
    assert best.floor is not None
    lead = (
        f"The best of {plural(len(held), 'step')} is {best.step.name}: {best.parameters:,} "
        f"parameters and a lowest test accuracy of the last {best.floor_epochs} epochs of "
        f"{percent(best.floor.mean)}{best.floor.deviation_text()}."
    )
    compared = compare(results)
    return f"{lead} {str(compared)[:1].upper()}{str(compared)[1:]}." if compared else lead


def _overview(results: Sequence[StepResult]) -> Iterator[Block]:
    settings = results[0].ladder.settings
    limit = at_most(settings.parameters)
    yield Text(f"Goal: {percent(settings.goal)} on {settings.dataset}, {limit}.", strong=True)
    if settings.source:
        yield Text(f"After {settings.source}.")
    columns = ladder_columns(results)
    rows = [[cell(result) for cell in columns.values()] for result in results]
    yield Table(list(columns), rows, frozenset(range(1, len(columns))))
    yield Text(protocol_of(results))


def _step(result: StepResult, results: Sequence[StepResult]) -> Iterator[Block]:
    yield Text(f"Target: {result.step.target}", strong=True)
    if result.step.note:
        yield Text(f"Note: {result.step.note}")
    if result.done:
        yield Text(f"Result: goal {goal_words(result)}.")
    yield Lines(tuple(analysis(result, results)))
    yield Figure(network_picture(result.step.architecture))
    if result.done:
        reported = result.step.reported
        logged = [] if reported is None else [each / 100 for each in reported.test]
        yield Figure(
            replays_picture([replay.accuracies for replay in result.done], logged),
            "The test accuracy of each epoch. Its distance from 100 % is on a logarithmic scale.",
        )

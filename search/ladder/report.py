"""Replayed ladders as a table on a terminal, as Markdown and as CSV."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from rich import box
from rich.table import Table

from search.ladder.analysis import analysis, compare
from search.ladder.records import Replay
from search.ladder.result import StepResult
from search.spec.ladder_file import LadderFile
from search.statistics import Spread
from search.text import plural
from search.text_files import write_text

__all__ = [
    "analysis_text",
    "ladder_columns",
    "ladder_tables",
    "markdown",
    "origin_of",
    "protocol_of",
    "step_to_dict",
    "write_csv",
    "write_markdown",
]

_HEADINGS = {"reported best": "reported\nbest", "s/epoch": "s per\nepoch"}
_GAP = 2
_LEAST_NAME = 10
_PROTOCOL = (
    "Trained on the whole training set and judged on the test set after every epoch, so that the "
    "best epoch is chosen on the test set. Accuracies in per cent; the floor is the lowest of the "
    "last {epochs} epochs; the gap is training less test accuracy after the last epoch, both in "
    "evaluation mode on images as they are, in points; n is the number of seeds, ± their standard "
    "deviation."
)
_OLDER = (
    " * By an older version: mean accuracy on augmented batches while they were trained on, less "
    "mean test accuracy, over the last {epochs} epochs."
)


def ladder_tables(results: Sequence[StepResult], width: int = 80) -> list[Table]:
    """Return a table for each ladder.

    Args:
        results: of one or more ladders.
        width: in characters. Where a table does not fit, deviations stand below their means, and
            then names of steps are broken at their hyphens.
    """
    return [_table(ladder, of_it, width) for ladder, of_it in _by_ladder(results)]


def analysis_text(results: Sequence[StepResult], width: int = 80) -> str:
    """Return the analysis of every step, and the comparison of all with what was reported.

    Args:
        results: of one or more ladders.
        width: of a line, in characters.
    """
    lines = []
    for result in results:
        lines += _wrapped(f"{result.step.name}: {result.step.target}", width, "")
        for line in analysis(result, results):
            lines += _wrapped(line, width, "  ")
    compared = compare(results)
    return "\n".join([*lines, *(_wrapped(str(compared), width, "") if compared else [])])


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def step_to_dict(result: StepResult, results: Sequence[StepResult]) -> dict[str, Any]:
    """Return a step's figures as JSON values.

    Args:
        result: of the step.
        results: of all steps that were replayed, to compare with the step before.
    """
    figures = {
        "best": result.best,
        "last": result.last,
        "floor": result.floor,
        "train": result.train,
        "gap": result.gap,
        "seconds_per_epoch": result.seconds_per_epoch,
    }
    settings, reported = result.ladder.settings, result.step.reported
    return {
        "ladder": settings.name,
        "step": result.step.name,
        "dataset": settings.dataset,
        "goal": settings.goal,
        "parameters": result.parameters,
        "epochs": result.recipe.epochs,
        "floor_epochs": result.floor_epochs,
        "reported": None if reported is None else asdict(reported),
        "train_of": "clean images" if result.clean else "batches as trained on",
        **{name: None if spread is None else asdict(spread) for name, spread in figures.items()},
        "difference_in_points": result.difference,
        "analysis": analysis(result, results),
        "replays": [replay.to_dict() for replay in result.replays],
    }


def markdown(results: Sequence[StepResult], command: str) -> str:
    """Return a report with all tables and analyses, and what made it.

    Args:
        results: of one or more ladders.
        command: the command line that made them.
    """
    parts = ["# Replayed ladders", f"`{command}`", origin_of(results)]
    compared = compare(results)
    parts += [f"{_sentence(str(compared))}."] if compared else []
    for ladder, of_it in _by_ladder(results):
        settings = ladder.settings
        parts.append(f"## {settings.title}")
        after = f", after {settings.source}" if settings.source else ""
        parts.append(f"{ladder.path.name}{after}. {protocol_of(of_it)}")
        columns = ladder_columns(of_it)
        rows = [
            columns,
            ["---"] + ["---:"] * (len(columns) - 1),
            *([cell(result) for cell in columns.values()] for result in of_it),
        ]
        parts.append("\n".join(f"| {' | '.join(row)} |" for row in rows))
        parts += [_findings(result, results) for result in of_it]
    return "\n\n".join(parts) + "\n"


def write_markdown(results: Sequence[StepResult], command: str, path: Path) -> None:
    """Write the report.

    Raises:
        ExportError: if the file cannot be written.
    """
    write_text(path, markdown(results, command))


def write_csv(results: Sequence[StepResult], path: Path) -> None:
    """Write one line for each replay.

    Raises:
        ExportError: if the file cannot be written.
    """
    rows = [_row(result, replay) for result in results for replay in result.done]
    write_text(path, pd.DataFrame(rows, columns=_COLUMNS).to_csv(index=False))


_COLUMNS = (
    "ladder",
    "step",
    "parameters",
    "epochs",
    "seed",
    "reported_best",
    "best",
    "last",
    "floor",
    "floor_epochs",
    "train",
    "clean_train",
    "clean_images",
    "gap",
    "augmented_gap",
    "seconds_per_epoch",
    "path",
    "device",
    "torch",
)


def _row(result: StepResult, replay: Replay) -> tuple[str | int | float | None, ...]:
    floor_epochs = result.floor_epochs
    return (
        result.ladder.settings.name,
        result.step.name,
        result.parameters,
        len(replay.epochs),
        replay.seed,
        None if result.step.reported is None else result.step.reported.best_test,
        round(100 * replay.best, 4),
        round(100 * replay.last, 4),
        round(100 * replay.floor(floor_epochs), 4),
        floor_epochs,
        round(100 * replay.train_accuracy(floor_epochs), 4),
        None if replay.clean_accuracy is None else round(100 * replay.clean_accuracy, 4),
        replay.clean_images or None,
        None if replay.clean_gap is None else round(100 * replay.clean_gap, 4),
        round(100 * replay.augmented_gap(floor_epochs), 4),
        round(replay.seconds_per_epoch, 3),
        replay.path,
        replay.device,
        replay.versions.get("torch", ""),
    )


def _by_ladder(results: Sequence[StepResult]) -> list[tuple[LadderFile, list[StepResult]]]:
    ladders = {id(result.ladder): result.ladder for result in results}
    return [
        (ladder, [result for result in results if result.ladder is ladder])
        for ladder in ladders.values()
    ]


def _table(ladder: LadderFile, results: Sequence[StepResult], width: int) -> Table:
    columns = ladder_columns(results)
    headings = [_HEADINGS.get(heading, heading) for heading in columns]
    rows = [[cell(result) for cell in columns.values()] for result in results]
    if _width_of(headings, rows) > width:
        rows = [[name, *(cell.replace(" ±", "\n±") for cell in cells)] for name, *cells in rows]
    left = width - _width_of(headings, [["", *cells] for _, *cells in rows]) + len(headings[0])
    rows = [["\n".join(textwrap.wrap(row[0], max(left, _LEAST_NAME))), *row[1:]] for row in rows]
    table = Table(
        title=ladder.settings.title,
        caption=protocol_of(results),
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, _GAP - 1, 0, 0),
    )
    for place, heading in enumerate(headings):
        table.add_column(
            heading,
            justify="right" if place else "left",
            vertical="top",
            no_wrap=True,
            min_width=_columns_needed(place, headings, rows),
        )
    for row in rows:
        table.add_row(*row)
    return table


def _width_of(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    columns = range(len(headings))
    widths = [_columns_needed(place, headings, rows) for place in columns]
    return sum(widths) + _GAP * (len(widths) - 1)


def _columns_needed(place: int, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    cells = [headings[place], *(row[place] for row in rows)]
    return max(len(line) for cell in cells for line in cell.split("\n"))


def protocol_of(results: Sequence[StepResult]) -> str:
    """Say how the steps of one ladder were replayed, and what its figures are."""
    words = _PROTOCOL if all(result.clean for result in results) else _PROTOCOL + _OLDER
    return words.format(epochs=results[0].floor_epochs)


def ladder_columns(results: Sequence[StepResult]) -> dict[str, Callable[[StepResult], str]]:
    """Return the columns of a ladder's table; reported figures have one if there are any."""
    columns: dict[str, Callable[[StepResult], str]] = {
        "step": lambda result: result.step.name,
        "parameters": lambda result: f"{result.parameters:,}",
        "reported best": _reported_best,
        "best": lambda result: _shown(result.best),
        "last": lambda result: _shown(result.last),
        "floor": lambda result: _shown(result.floor),
        "gap": lambda result: _shown(result.gap, sign="+") + ("" if result.clean else " *"),
        "s/epoch": lambda result: _shown(result.seconds_per_epoch, factor=1.0),
        "n": lambda result: str(len(result.done)),
    }
    if all(result.step.reported is None for result in results):
        del columns["reported best"]
    return columns


def _reported_best(result: StepResult) -> str:
    return "-" if result.step.reported is None else f"{result.step.reported.best_test:.2f}"


def _shown(spread: Spread | None, factor: float = 100.0, sign: str = "") -> str:
    if spread is None:
        return "-"
    return f"{factor * spread.mean:{sign}.2f}{spread.deviation_text(factor)}"


def _findings(result: StepResult, results: Sequence[StepResult]) -> str:
    head = f"**{result.step.name}**: {result.step.target}"
    note = [f"- note: {result.step.note}"] if result.step.note else []
    return "\n".join([f"{head}\n", *note, *(f"- {line}" for line in analysis(result, results))])


def origin_of(results: Sequence[StepResult]) -> str:
    """Return the hardware, backends, worker counts and versions behind the figures."""
    replays = [replay for result in results for replay in result.done]
    devices = sorted({replay.device for replay in replays})
    ways = sorted({f"{r.path} path, {plural(r.workers, 'worker')}" for r in replays})
    packages = sorted({f"{k} {v}" for replay in replays for k, v in replay.versions.items()})
    return f"{'; '.join(devices)} ({'; '.join(ways)}); {', '.join(packages)}."


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]

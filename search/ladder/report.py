"""Replayed ladders as a table on a terminal, as Markdown and as CSV."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
from rich import box
from rich.table import Table

from search.errors import ExportError
from search.ladder.analysis import analysis, compare
from search.ladder.records import Replay
from search.ladder.result import StepResult
from search.spec.ladder_file import LadderFile
from search.statistics import Spread
from search.text import plural

__all__ = [
    "analysis_text",
    "check_place",
    "ladder_tables",
    "markdown",
    "write_csv",
    "write_markdown",
    "write_report",
]

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


def ladder_tables(results: Sequence[StepResult]) -> list[Table]:
    """Return a table for each ladder."""
    return [_table(ladder, of_it) for ladder, of_it in _by_ladder(results)]


def analysis_text(results: Sequence[StepResult]) -> str:
    """Return the analysis of every step, and the comparison of all with what was reported."""
    lines = []
    for result in results:
        lines += [f"{result.step.name}: {result.step.target}"]
        lines += [f"  {line}" for line in analysis(result, results)]
    compared = compare(results)
    return "\n".join([*lines, *([str(compared)] if compared else [])])


def markdown(results: Sequence[StepResult], command: str) -> str:
    """Return a report with all tables and analyses, and what made it.

    Args:
        results: of one or more ladders.
        command: the command line that made them.
    """
    parts = ["# Replayed ladders", f"`{command}`", _origin(results)]
    compared = compare(results)
    parts += [f"{_sentence(str(compared))}."] if compared else []
    for ladder, of_it in _by_ladder(results):
        settings = ladder.settings
        parts.append(f"## {settings.title}")
        after = f", after {settings.source}" if settings.source else ""
        parts.append(f"{ladder.path.name}{after}. {_protocol(ladder, of_it)}")
        columns = _columns(of_it)
        rows = [
            columns,
            ["---"] + ["---:"] * (len(columns) - 1),
            *([cell(result) for cell in columns.values()] for result in of_it),
        ]
        parts.append("\n".join(f"| {' | '.join(row)} |" for row in rows))
        parts += [_findings(result, results) for result in of_it]
    return "\n\n".join(parts) + "\n"


def check_place(path: Path) -> None:
    """Refuse a report that could not be written, before the replays take hours.

    Raises:
        ExportError: if its folder does not exist, or the path is a folder.
    """
    if not path.parent.is_dir():
        raise ExportError(
            f"{path} cannot be written: the folder {path.parent} does not exist; make it"
        )
    if path.is_dir():
        raise ExportError(f"{path} is a folder; give a file")


def write_markdown(results: Sequence[StepResult], command: str, path: Path) -> None:
    """Write the report.

    Raises:
        ExportError: if the file cannot be written.
    """
    write_report(path, markdown(results, command))


def write_csv(results: Sequence[StepResult], path: Path) -> None:
    """Write one line for each replay.

    Raises:
        ExportError: if the file cannot be written.
    """
    rows = [_row(result, replay) for result in results for replay in result.done]
    write_report(path, pd.DataFrame(rows, columns=_COLUMNS).to_csv(index=False))


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


def _table(ladder: LadderFile, results: Sequence[StepResult]) -> Table:
    columns = _columns(results)
    table = Table(title=ladder.settings.title, caption=_protocol(ladder, results), box=box.SIMPLE)
    for heading in columns:
        table.add_column(heading, justify="left" if heading == "step" else "right", no_wrap=True)
    for result in results:
        table.add_row(*(cell(result) for cell in columns.values()))
    return table


def _protocol(ladder: LadderFile, results: Sequence[StepResult]) -> str:
    words = _PROTOCOL if all(result.clean for result in results) else _PROTOCOL + _OLDER
    return words.format(epochs=ladder.settings.floor_epochs)


def _columns(results: Sequence[StepResult]) -> dict[str, Callable[[StepResult], str]]:
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


def _origin(results: Sequence[StepResult]) -> str:
    """Return the hardware, backends, worker counts and versions behind the figures."""
    replays = [replay for result in results for replay in result.done]
    devices = sorted({replay.device for replay in replays})
    ways = sorted({f"{r.path} path, {plural(r.workers, 'worker')}" for r in replays})
    packages = sorted({f"{k} {v}" for replay in replays for k, v in replay.versions.items()})
    return f"{'; '.join(devices)} ({'; '.join(ways)}); {', '.join(packages)}."


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def write_report(path: Path, text: str) -> None:
    """Write a report of any command.

    Raises:
        ExportError: if the file cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ExportError(
            f"{path} cannot be written: {error.strerror}; choose another file"
        ) from error

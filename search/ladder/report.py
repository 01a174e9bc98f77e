"""Replayed ladders as a table on a terminal, as Markdown and as CSV."""

from __future__ import annotations

from collections.abc import Sequence
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

_HEADINGS = (
    "step",
    "parameters",
    "reported best",
    "best",
    "last",
    "floor",
    "gap",
    "s/epoch",
    "n",
)
_PROTOCOL = (
    "The authors' protocol: trained on the whole training set, judged on the test set after every "
    "epoch, so that the best epoch is chosen on the test set. Accuracies in per cent; the floor "
    "is the lowest of the last {epochs} epochs; the gap is training less test accuracy over them, "
    "in points; n is the number of seeds, ± their standard deviation."
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
        parts.append(f"{ladder.path.name}, after {settings.source}. {_protocol(ladder)}")
        rows = [_HEADINGS, ["---"] + ["---:"] * (len(_HEADINGS) - 1), *map(_cells, of_it)]
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
    "gap",
    "seconds_per_epoch",
    "path",
    "device",
    "torch",
)


def _row(result: StepResult, replay: Replay) -> tuple[str | int | float, ...]:
    floor_epochs = result.floor_epochs
    return (
        result.ladder.settings.name,
        result.step.name,
        result.parameters,
        len(replay.epochs),
        replay.seed,
        result.step.reported.best_test,
        round(100 * replay.best, 4),
        round(100 * replay.last, 4),
        round(100 * replay.floor(floor_epochs), 4),
        floor_epochs,
        round(100 * replay.train_accuracy(floor_epochs), 4),
        round(100 * replay.gap(floor_epochs), 4),
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
    table = Table(title=ladder.settings.title, caption=_protocol(ladder), box=box.SIMPLE)
    for heading in _HEADINGS:
        table.add_column(heading, justify="left" if heading == "step" else "right", no_wrap=True)
    for result in results:
        table.add_row(*_cells(result))
    return table


def _protocol(ladder: LadderFile) -> str:
    return _PROTOCOL.format(epochs=ladder.settings.floor_epochs)


def _cells(result: StepResult) -> tuple[str, ...]:
    return (
        result.step.name,
        f"{result.parameters:,}",
        f"{result.step.reported.best_test:.2f}",
        _shown(result.best),
        _shown(result.last),
        _shown(result.floor),
        _shown(result.gap, sign="+"),
        _shown(result.seconds_per_epoch, factor=1.0),
        str(len(result.done)),
    )


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

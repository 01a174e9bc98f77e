"""Tables on standard output, JSON in a file, and the machine that the figures are from."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from rich import box
from rich.console import Console
from rich.table import Table

from search.workers.devices import hardware, versions
from tests.benchmarks.comparison import TRIAL_EPOCHS, Comparison, Configuration, Figures, Situation
from tests.benchmarks.task import SIDE_NAMES

__all__ = ["RESULTS", "comparison_table", "cores", "provenance", "show", "write_json"]

RESULTS = Path(__file__).resolve().parent / "results"

_WIDTH_OF_FILES = 132


def cores() -> int:
    """Returns the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def provenance() -> dict[str, Any]:
    """Returns what a figure needs beside it: hardware, versions, commit, date, load before."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": hardware(torch.device("cpu")),
        "cores": cores(),
        "load_average": round(os.getloadavg()[0], 2),
        "versions": versions(),
        "commit": _commit(),
    }


def write_json(path: Path, value: object) -> None:
    """Writes a file that is either the old or the new one, whenever the program ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)


def show(*parts: Table | str) -> None:
    """Prints tables and lines, in full width also where standard output is a file."""
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = _WIDTH_OF_FILES
    for part in parts:
        console.print(part)


def comparison_table(comparisons: Sequence[Comparison], situation: Situation) -> Table:
    """Returns both sides' figures in one situation and, in the lines of ours, the ratios."""
    table = Table(title=f"Training on MNIST, {situation}", box=box.SIMPLE)
    for heading in ("net", "side", "processes x threads"):
        table.add_column(heading, no_wrap=True)
    for heading in (*_headings(situation), "ratio of epochs", "ratio of trials"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in comparisons:
        if each.situation == situation:
            table.add_row(each.net, *_cells(situation, each.seed, each.seed_figures), "1", "1")
            ratios = str(each.steady), str(each.trial)
            table.add_row("", *_cells(situation, each.ours, each.ours_figures), *ratios)
            table.add_section()
    return table


def _headings(situation: Situation) -> tuple[str, ...]:
    if situation == "one trial alone":
        return "set-up s", "epoch s", f"{TRIAL_EPOCHS} epochs s"
    return "epoch s", "images/s", "trials/h"


def _cells(situation: Situation, configuration: Configuration, figures: Figures) -> tuple[str, ...]:
    side, epoch = SIDE_NAMES[configuration.side], f"{figures.epoch_seconds:.2f}"
    if situation == "one trial alone":
        numbers = f"{figures.setup_seconds:.2f}", epoch, f"{figures.trial_seconds:.1f}"
    else:
        numbers = epoch, f"{figures.images_per_second:,.0f}", f"{figures.trials_per_hour:.1f}"
    return side, str(configuration), *numbers


def _commit() -> str:
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty"],
            cwd=RESULTS.parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()

"""Arguments and options that several commands share, each declared once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from search.storage.urls import DEFAULT_STORAGE

__all__ = [
    "RUN_OPTIONS",
    "AsJson",
    "DataRoot",
    "Debug",
    "Device",
    "JsonBesideProgress",
    "OfLimit",
    "Storage",
    "StudyName",
    "StudyPath",
    "TrialNumber",
    "with_run_options",
]

StudyPath = Annotated[Path, typer.Argument(metavar="STUDY.toml", help="study file")]
StudyName = Annotated[str, typer.Argument(metavar="STUDY", help="study file, or a study's name")]
Storage = Annotated[str, typer.Option("--storage", metavar="URL", help="URL of the study database")]
Debug = Annotated[bool, typer.Option("--debug", help="show tracebacks")]

AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
JsonBesideProgress = Annotated[
    bool, typer.Option("--json", help="print JSON; progress goes to standard error")
]
TrialNumber = Annotated[
    int | None,
    typer.Option(
        "--trial", min=0, metavar="N", help="of a study; by default the champion, or the best"
    ),
]
OfLimit = Annotated[
    int | None,
    typer.Option(
        "--parameters", min=1, metavar="N", help="of several limits, the one that is meant"
    ),
]

_Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        metavar="N",
        help="worker processes; by default one per core, at most 16, or four per GPU",
    ),
]
DataRoot = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="data sets; by default $FLYWEIGHT_DATA, else data/"),
]
Device = Annotated[
    str | None,
    typer.Option(
        "--device", metavar="DEV", help="cpu, cuda, cuda:N or mps; by default the fastest one"
    ),
]

RUN_OPTIONS: tuple[tuple[str, Any, object], ...] = (
    ("workers", _Workers, None),
    ("storage", Storage, DEFAULT_STORAGE),
    ("data", DataRoot, None),
    ("device", Device, None),
    ("debug", Debug, False),
)
"""Each key of ``RunOptions`` with its option of the command line and the option's default."""


def with_run_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of every command that starts workers to a command.

    Args:
        command: takes ``**options`` of :class:`search.workers.options.RunOptions`.

    Returns:
        The same command with a signature from which Typer reads each option.
    """

    @functools.wraps(command)
    def with_options(*arguments: Any, **options: Any) -> None:
        command(*arguments, **options)

    signature = inspect.signature(command, eval_str=True)
    own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, kind, default in RUN_OPTIONS
    ]
    signature = signature.replace(parameters=[*own, *shared])
    with_options.__signature__ = signature  # type: ignore[attr-defined]
    return with_options

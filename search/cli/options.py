"""Arguments and options that several commands of the command line share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Data", "Debug", "Device", "Storage", "Study", "StudyFile", "Workers"]

StudyFile = Annotated[Path, typer.Argument(metavar="STUDY.toml", help="study file")]
Study = Annotated[str, typer.Argument(metavar="STUDY", help="study file, or a study's name")]
Storage = Annotated[str, typer.Option("--storage", metavar="URL", help="study database")]
Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="data sets; else $FLYWEIGHT_DATA or data/"),
]
Device = Annotated[
    str | None, typer.Option("--device", metavar="DEV", help="cpu, cuda, cuda:N or mps")
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", min=1, metavar="N", help="worker processes; else as suits"),
]
Debug = Annotated[bool, typer.Option("--debug", help="show tracebacks")]

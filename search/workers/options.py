"""The options of every command that starts workers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypedDict

from rich.console import Console

from search.errors import InputError

__all__ = ["RunOptions", "check_counts"]


class RunOptions(TypedDict, total=False):
    """The options that ``run``, ``confirm`` and ``ladder`` share; each may be left out.

    Attributes:
        workers: processes on this machine; by default as many as suit it.
        storage: URL of the study database; by default ``sqlite:///studies/study.db``.
        data: root of the data sets; by default ``$FLYWEIGHT_DATA``, else ``data/``. ``run`` takes
            images and labels instead, tensors or numpy's, and perhaps class names, for a study
            whose data set is ``npz:PATH``: they are kept in that file.
        device: ``cpu``, ``cuda``, ``cuda:N`` or ``mps``; by default the best one there is.
        console: where to show progress; by default standard output.
        debug: whether workers that fail show tracebacks; by default they do not.
    """

    workers: int | None
    storage: str
    data: str | Path | tuple[Any, ...] | None
    device: str | None
    console: Console | None
    debug: bool


def check_counts(**counts: int | None) -> None:
    """Refuse a number that is given and is not a whole number above 0.

    Args:
        **counts: the numbers by their names; None where one was left out.

    Raises:
        InputError: one of them cannot be used.
    """
    for name, count in counts.items():
        if count is not None and (type(count) is not int or count < 1):
            raise InputError(f"{name}: {count!r} is not a whole number above 0; give 1 or more")

"""What the three commands have in common: options, the file that they write, how they end."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from search.errors import DeviceError
from tests.benchmarks.mnist import DATA_VARIABLE
from tests.gpu.card import default_folder, open_device, origin, slug, still_works
from tests.gpu.parts import Clock, Part, PartsFile, take_parts
from tests.gpu.places import DATA

__all__ = ["Situation", "add_options", "run_parts", "use_carried_data"]

_LIMIT = 540.0
_MODULES = {"tests": "suite", "bench": "bench", "study": "study"}


class Situation:
    """What a command measures, and with what.

    Args:
        kind: of the command: ``tests``, ``bench`` or ``study``.
        given: its options.
        settings: what was asked for, other than by default.

    Attributes:
        kind: of the command.
        given: its options.
        device: that is measured.
        path: of the JSON file.
        settings: what was asked for.

    Raises:
        DeviceError: if this machine does not have the device.
    """

    def __init__(self, kind: str, given: argparse.Namespace, settings: dict[str, Any]) -> None:
        self.kind = kind
        self.given = given
        self.settings = settings
        self.device: torch.device = open_device(given.device)
        folder: Path = given.out or default_folder(self.device)
        self.path = folder / f"{slug(self.device)}-{kind}.json"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that every command has."""
    parser.add_argument(
        "--device", metavar="NAME", help="cpu, cuda, cuda:N or mps; by default the best there is"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder of the JSON file, one for each card"
    )
    parser.add_argument(
        "--limit",
        type=float,
        metavar="S",
        default=_LIMIT,
        help="begin no part after this many seconds; by default 540",
    )
    parser.add_argument(
        "--parts", nargs="+", metavar="NAME", help="by default all; a beginning names several"
    )
    parser.add_argument("--again", action="store_true", help="repeat what is finished")
    parser.add_argument("--list", action="store_true", help="name the parts and what they measure")


def run_parts(
    kind: str,
    given: argparse.Namespace,
    make_parts: Callable[[Situation], Sequence[Part]],
    settings: dict[str, Any],
) -> int:
    """Take the parts that were asked for, and return the exit code.

    Args:
        kind: of the command: ``tests``, ``bench`` or ``study``.
        given: its options.
        make_parts: makes all parts, in order.
        settings: what was asked for, other than by default.

    Returns:
        0, also when the time was over before all parts were taken; 1 if a part has failed; 2 if
        the options cannot be used.
    """
    clock = Clock(given.limit)
    try:
        situation = Situation(kind, given, settings)
        parts = _chosen(make_parts(situation), given.parts)
    except (DeviceError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    if given.list:
        for part in parts:
            print(f"{part.name:28} {part.about}")
        return 0
    file = PartsFile(situation.path, origin(situation.device, settings))
    taken = take_parts(
        parts, file, clock, again=given.again, usable=lambda: still_works(situation.device)
    )
    done = len(parts) - len(taken.failed) - len(taken.left)
    print(f"{situation.path}: {done} of {len(parts)} parts", flush=True)
    if taken.failed:
        print(f"failed: {', '.join(taken.failed)}", file=sys.stderr)
    if taken.lost and taken.left and clock.left() > 0:
        # An error like an illegal access takes the card from a process for good, not from others.
        _take_in_another_process(kind, taken.left, clock.left())
    elif taken.left:
        print(f"left for the same command: {', '.join(taken.left)}", file=sys.stderr)
    return 1 if taken.failed else 0


def use_carried_data() -> None:
    """Name the carried data sets in the environment unless others are named there."""
    if not os.environ.get(DATA_VARIABLE) and DATA.is_dir():
        os.environ[DATA_VARIABLE] = str(DATA)


def _chosen(parts: Sequence[Part], names: Sequence[str] | None) -> list[Part]:
    if names is None:
        return list(parts)
    for name in names:
        if not any(part.name.startswith(name) for part in parts):
            raise ValueError(f"--parts {name}: there are {', '.join(part.name for part in parts)}")
    return [part for part in parts if part.name.startswith(tuple(names))]


def _take_in_another_process(kind: str, names: Sequence[str], seconds: float) -> None:
    # Of options that are given twice the last one counts.
    options = [*sys.argv[1:], "--limit", str(seconds), "--parts", *names]
    subprocess.run([sys.executable, "-m", f"tests.gpu.{_MODULES[kind]}", *options], check=False)

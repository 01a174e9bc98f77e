"""What the commands have in common: options, and how they end."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.launch import WorkerFailed
from tests.benchmarks.nets import NETS

__all__ = ["add_batches", "add_json", "add_nets", "positive", "run_command"]


def positive(text: str) -> int:
    """Reads a whole number above 0."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def add_nets(parser: argparse.ArgumentParser) -> None:
    """Adds ``--nets``."""
    parser.add_argument("--nets", nargs="+", choices=NETS, default=list(NETS))


def add_batches(parser: argparse.ArgumentParser) -> None:
    """Adds ``--batches``."""
    parser.add_argument(
        "--batches",
        type=positive,
        metavar="N",
        help="cut the training and the test part to N batches each, to try the command out",
    )


def add_json(parser: argparse.ArgumentParser, default: Path) -> None:
    """Adds ``--json``."""
    parser.add_argument("--json", type=Path, metavar="PATH", default=default)


def run_command(main: Callable[[], None]) -> None:
    """Runs a command; ends with 1 and one line if a process failed, with 130 on Ctrl-C."""
    try:
        main()
    except WorkerFailed as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None

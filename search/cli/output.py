"""Print texts, tables, and errors of one line each."""

from __future__ import annotations

import sys

from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from typer.exceptions import TyperException

from search.errors import message_of

__all__ = ["print_error", "print_table", "print_text", "usage_message", "width_of_output"]


def width_of_output() -> int:
    """Return the characters on a line of standard output: 80 where it is no terminal.

    ``$COLUMNS`` says otherwise.
    """
    return Console().width


def print_table(table: Table) -> None:
    """Print a table that was made for the width of the output."""
    Console(highlight=False, markup=False).print(table)


def print_text(text: str) -> None:
    """Print a text as it is."""
    Console(soft_wrap=True, highlight=False, markup=False).print(text)


def usage_message(error: TyperException) -> str:
    """Return the message for a wrong command line, with the value that Typer leaves out."""
    cause = error.__cause__
    if not isinstance(cause, ValidationError):
        return error.format_message()
    given = cause.errors(include_url=False)[0]["input"]
    return f"{error.format_message()}, not {given}"


def print_error(error: BaseException) -> None:
    """Print an error on standard error, one line for each problem."""
    for line in message_of(error).splitlines():
        print(f"flyweight: {line}", file=sys.stderr)

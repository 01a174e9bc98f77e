"""The command ``flyweight``, also as ``python -m flyweight``."""

from __future__ import annotations

import sys
from collections.abc import Callable

from flyweight._packages import ShadowedError, load

__all__ = ["main"]

_BAD_INPUT = 2
"""As in ``search.errors``, which cannot be imported when ``search`` is shadowed."""


def main() -> int:
    """Run the command line on this process's arguments and return the exit code."""
    try:
        command: Callable[[], int] = load("search.cli", "main")
    except ShadowedError as error:
        print(f"flyweight: {error}", file=sys.stderr)
        return _BAD_INPUT
    return command()


if __name__ == "__main__":
    sys.exit(main())

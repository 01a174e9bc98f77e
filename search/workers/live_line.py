"""Lines of progress, and a last one that a terminal rewrites in place."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console
from rich.live import Live
from rich.text import Text

__all__ = ["LiveLine"]


_SECONDS_OF_SILENCE = 30.0


class LiveLine:
    """A line below everything that is printed.

    A terminal rewrites it in place. Elsewhere it is printed when nothing else was for half a
    minute.

    Args:
        console: where to write.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said = time.monotonic()
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    def __enter__(self) -> LiveLine:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def print(self, line: str) -> None:
        """Print a line as it is, above the live one."""
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)
        self._said = time.monotonic()

    def rewrite(self, text: Callable[[], str]) -> None:
        """Show another text; ``text`` is not called if it is not shown."""
        if self._live is not None:
            self._live.update(Text(text()), refresh=True)
        elif time.monotonic() - self._said > _SECONDS_OF_SILENCE:
            self.print(text())

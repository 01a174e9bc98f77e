"""A line at the bottom of a terminal that is rewritten in place."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.live import Live
from rich.text import Text

__all__ = ["LiveLine"]


class LiveLine:
    """A line below everything that is printed; it exists only on a terminal.

    Args:
        console: where to write.
    """

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    def __enter__(self) -> LiveLine:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def rewrite(self, text: Callable[[], str]) -> None:
        """Show another text; ``text`` is not called if there is no line."""
        if self._live is not None:
            self._live.update(Text(text()), refresh=True)

"""Say what is being done where it takes long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer

__all__ = ["said_if_slow"]

_SECONDS = 1.0


@contextmanager
def said_if_slow(
    tell: Callable[[str], object], what: str, seconds: float = _SECONDS
) -> Iterator[None]:
    """Tell what the block is doing if it has not ended after a while.

    Args:
        tell: shows a line; it is called from another thread.
        what: the work, in words.
        seconds: how long nothing is said.
    """
    timer = Timer(seconds, tell, [what])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()

"""Ask a worker to stop at a moment when nothing is left half done."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

__all__ = ["StopSignal", "Stopped", "interruptible"]

T = TypeVar("T")


class Stopped(BaseException):
    """The exception inside :meth:`StopSignal.interruptible` when the worker is asked to stop.

    It is not an :class:`Exception`, so that no handler for errors catches it.
    """


class StopSignal:
    """A flag that is set when this process is asked to stop, by SIGINT or SIGTERM.

    Work inside :meth:`interruptible` is broken off at once. All other work, such as a write to the
    study, is finished first.
    """

    def __init__(self) -> None:
        self._asked = False
        self._interruptible = False

    def __bool__(self) -> bool:
        return self._asked

    def listen(self) -> None:
        """Handle the signals from now on; only in the main thread."""
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGTERM, self._on_signal)

    def follow_parent(self) -> None:
        """Stop when standard input ends, as it does when the parent closes it or dies."""

        def wait() -> None:
            while os.read(sys.stdin.fileno(), 4096):
                pass
            os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=wait, daemon=True).start()

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Mark work that may be broken off anywhere.

        Raises:
            Stopped: as soon as this process is asked to stop.
        """
        self._interruptible = True
        try:
            if self._asked:
                raise Stopped
            yield
        finally:
            self._interruptible = False

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True
        if self._interruptible:
            self._interruptible = False
            raise Stopped


def interruptible(values: Iterator[T], stop: StopSignal) -> Iterator[T]:
    """Yield the same values; the computation of one can be interrupted, its use cannot.

    Raises:
        Stopped: as :meth:`StopSignal.interruptible`.
    """
    while True:
        with stop.interruptible():
            value = next(values, None)
        if value is None:
            return
        yield value

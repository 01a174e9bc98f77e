"""Making tables where several processes may make the same ones at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import IntegrityError, ProgrammingError

__all__ = ["make_tables"]

_TRIES = 5
_Made = TypeVar("_Made")


def make_tables(make: Callable[[], _Made]) -> _Made:
    """Returns what ``make`` gives, calling it again where it may have lost a race.

    A server's ``CREATE TABLE`` fails where another process is making the same table, even with
    ``IF NOT EXISTS``; once the other has committed, the next try finds the table there.

    Args:
        make: makes what is not there yet; whole or not at all.

    Raises:
        SQLAlchemyError: what the last of several tries raised.
    """
    for _ in range(_TRIES - 1):
        try:
            return make()
        except (IntegrityError, ProgrammingError):
            continue
    return make()

"""The tables that flyweight adds to Optuna's, and a safe way for several processes to add them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Boolean, Column, Engine, Integer, MetaData, String, Table, Text
from sqlalchemy.exc import IntegrityError, ProgrammingError

__all__ = ["CALIBRATIONS", "CLAIMS", "REPLAYS", "add_table", "make_tables"]

_metadata = MetaData()

CLAIMS = Table(
    "flyweight_claims",
    _metadata,
    Column("study_id", Integer, primary_key=True),
    Column("work", String(64), primary_key=True),
    Column("slot", Integer, primary_key=True),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started", String(255), nullable=False),
    Column("done", Boolean, nullable=False),
)
"""The pieces of work that processes have taken: see ``search.storage.claims``."""

REPLAYS = Table(
    "flyweight_replays",
    _metadata,
    Column("candidate", String(64), primary_key=True),
    Column("seed", Integer, primary_key=True),
    Column("kept", Text, nullable=False),
)
"""The replays of ladders: see ``search.ladder.records``."""

CALIBRATIONS = Table(
    "flyweight_calibrations",
    _metadata,
    Column("calibration", String(64), primary_key=True),
    Column("candidate", Integer, primary_key=True),
    Column("repeat", Integer, primary_key=True),
    Column("kept", Text, nullable=False),
)
"""The trainings of calibrations: see ``search.calibrate.records``."""

_TRIES = 5
_Made = TypeVar("_Made")


def add_table(table: Table, engine: Engine) -> None:
    """Add one of these tables to a database that does not have it yet."""
    make_tables(lambda: table.create(engine, checkfirst=True))


def make_tables(make: Callable[[], _Made]) -> _Made:
    """Return the result of ``make``, calling it again if another process may have been faster.

    A server's ``CREATE TABLE`` fails while another process is making the same table, even with
    ``IF NOT EXISTS``; once the other has committed, the next try finds the table.

    Args:
        make: makes missing tables, all of them or none.

    Raises:
        SQLAlchemyError: what the last of several tries raised.
    """
    for _ in range(_TRIES - 1):
        try:
            return make()
        except (IntegrityError, ProgrammingError):
            continue
    return make()

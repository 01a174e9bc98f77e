"""Claims: which process has taken which piece of a study's work."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from search.storage.processes import ProcessId, this_process
from search.storage.tables import make_tables

__all__ = ["Claims"]

_metadata = MetaData()
_claims = Table(
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


class Claims:
    """Numbered slots of one kind of work in one study, each held by at most one process.

    A slot is a row under a unique key, so that two processes can never hold the same: the work is
    done exactly once however many take part. It stays held until it is marked as done or released;
    the slots of processes that are known to be dead can be taken away from them.

    Args:
        engine: of the study's storage.
        study_id: the study's number in the storage.
        work: the kind of work, such as ``trial``.
    """

    def __init__(self, engine: Engine, study_id: int, work: str) -> None:
        self._engine = engine
        self._study_id = study_id
        self._work = work
        self._mine = (_claims.c.study_id == study_id) & (_claims.c.work == work)
        make_tables(lambda: _metadata.create_all(engine))

    def take(self, total: int) -> int | None:
        """Claims the lowest free slot below ``total``; returns None where all are taken."""
        while True:
            with self._engine.connect() as connection:
                rows = connection.execute(select(_claims.c.slot).where(self._mine))
                taken = {slot for (slot,) in rows}
            free = next((slot for slot in range(total) if slot not in taken), None)
            if free is None or self._insert(free):
                return free

    def _insert(self, slot: int) -> bool:
        me = this_process()
        row = {"study_id": self._study_id, "work": self._work, "slot": slot, "done": False}
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(_claims), [{**row, **me.to_dict()}])
        except IntegrityError:
            return False
        return True

    def finish(self, slot: int) -> None:
        """Marks a slot as done for good."""
        with self._engine.begin() as connection:
            connection.execute(
                update(_claims).where(self._mine & (_claims.c.slot == slot)).values(done=True)
            )

    def release(self, slot: int, holder: ProcessId | None = None) -> None:
        """Gives back an unfinished slot, if ``holder`` (by default this process) still holds it."""
        held = (_claims.c.slot == slot) & _claims.c.done.is_(False)
        for key, value in (holder or this_process()).to_dict().items():
            held &= _claims.c[key] == value
        with self._engine.begin() as connection:
            connection.execute(delete(_claims).where(self._mine & held))

    def of_dead(self) -> dict[int, ProcessId]:
        """Returns the unfinished slots whose processes are known to be dead, with these."""
        held = self.unfinished()
        return {slot: holder for slot, holder in held.items() if holder.is_known_dead()}

    def unfinished(self) -> dict[int, ProcessId]:
        """Returns the unfinished slots with the processes that hold them."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(_claims.c.slot, _claims.c.host, _claims.c.pid, _claims.c.started).where(
                    self._mine & _claims.c.done.is_(False)
                )
            ).all()
        return {slot: ProcessId(*holder) for slot, *holder in rows}

    def release_dead(self) -> None:
        """Gives back the unfinished slots of dead processes."""
        for slot, holder in self.of_dead().items():
            self.release(slot, holder)

    def done(self) -> int:
        """Returns how many slots are done."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(_claims.c.slot).where(self._mine & _claims.c.done.is_(True))
            )
            return len(rows.all())

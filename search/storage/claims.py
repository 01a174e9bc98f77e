"""Claims of processes on pieces of a study's work."""

from __future__ import annotations

from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from search.storage.processes import ProcessId, this_process
from search.storage.tables import CLAIMS, add_table

__all__ = ["Claims", "delete_claims", "living_holders"]


class Claims:
    """Numbered slots of one kind of work in one study, each held by at most one process.

    A slot is a row under a unique key, so that two processes can never hold the same one: the work
    is done exactly once, whatever the number of processes. It stays held until it is marked as
    done or released; the slots of processes that are known to be dead can be taken away from them.

    Args:
        engine: of the study's storage.
        study_id: the study's number in the storage.
        work: the kind of work, such as ``trial``.
    """

    def __init__(self, engine: Engine, study_id: int, work: str) -> None:
        self._engine = engine
        self._study_id = study_id
        self._work = work
        self._mine = (CLAIMS.c.study_id == study_id) & (CLAIMS.c.work == work)
        add_table(CLAIMS, engine)

    def take(self, total: int) -> int | None:
        """Claim and return the lowest free slot below ``total``; return None if all are taken."""
        while True:
            with self._engine.connect() as connection:
                rows = connection.execute(select(CLAIMS.c.slot).where(self._mine))
                taken = {slot for (slot,) in rows}
            free = next((slot for slot in range(total) if slot not in taken), None)
            if free is None or self._insert(free):
                return free

    def _insert(self, slot: int) -> bool:
        me = this_process()
        row = {"study_id": self._study_id, "work": self._work, "slot": slot, "done": False}
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(CLAIMS), [{**row, **me.to_dict()}])
        except IntegrityError:
            return False
        return True

    def add_done(self, count: int) -> None:
        """Mark the slots 0 to ``count - 1`` as done, in a study that has none yet."""
        me = this_process().to_dict()
        fixed = {"study_id": self._study_id, "work": self._work, "done": True, **me}
        if count:
            with self._engine.begin() as connection:
                rows = [{**fixed, "slot": slot} for slot in range(count)]
                connection.execute(insert(CLAIMS), rows)

    def finish(self, slot: int) -> None:
        """Mark a slot as done."""
        with self._engine.begin() as connection:
            connection.execute(
                update(CLAIMS).where(self._mine & (CLAIMS.c.slot == slot)).values(done=True)
            )

    def release(self, slot: int, holder: ProcessId | None = None) -> None:
        """Free an unfinished slot if ``holder`` (by default this process) still holds it."""
        held = (CLAIMS.c.slot == slot) & CLAIMS.c.done.is_(False)
        for key, value in (holder or this_process()).to_dict().items():
            held &= CLAIMS.c[key] == value
        with self._engine.begin() as connection:
            connection.execute(delete(CLAIMS).where(self._mine & held))

    def of_dead(self) -> dict[int, ProcessId]:
        """Return the unfinished slots whose processes are known to be dead, with the processes."""
        held = self.unfinished()
        return {slot: holder for slot, holder in held.items() if holder.is_known_dead()}

    def unfinished(self) -> dict[int, ProcessId]:
        """Return the unfinished slots with the processes that hold them."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(CLAIMS.c.slot, CLAIMS.c.host, CLAIMS.c.pid, CLAIMS.c.started).where(
                    self._mine & CLAIMS.c.done.is_(False)
                )
            ).all()
        return {slot: ProcessId(*holder) for slot, *holder in rows}

    def release_dead(self) -> None:
        """Free the unfinished slots of dead processes."""
        for slot, holder in self.of_dead().items():
            self.release(slot, holder)

    def done(self) -> int:
        """Return how many slots are done."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(CLAIMS.c.slot).where(self._mine & CLAIMS.c.done.is_(True))
            )
            return len(rows.all())


def living_holders(engine: Engine, study_id: int, *, but: str) -> tuple[ProcessId, ...]:
    """Return the processes that hold unfinished work of a study, known dead ones left out.

    Args:
        engine: of the study's storage.
        study_id: the study's number in the storage.
        but: a kind of work that does not count.
    """
    add_table(CLAIMS, engine)
    unfinished = (CLAIMS.c.study_id == study_id) & CLAIMS.c.done.is_(False)
    unfinished &= CLAIMS.c.work != but
    wanted = select(CLAIMS.c.host, CLAIMS.c.pid, CLAIMS.c.started).where(unfinished).distinct()
    with engine.connect() as connection:
        holders = [ProcessId(*row) for row in connection.execute(wanted)]
    return tuple(holder for holder in holders if not holder.is_known_dead())


def delete_claims(engine: Engine, study_id: int) -> None:
    """Delete all claims to the work of a study, whose number another study may get one day."""
    add_table(CLAIMS, engine)
    with engine.begin() as connection:
        connection.execute(delete(CLAIMS).where(CLAIMS.c.study_id == study_id))

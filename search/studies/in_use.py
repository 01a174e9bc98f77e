"""Refuse to change a study under the hands of its workers."""

from __future__ import annotations

from search.errors import InputError
from search.storage.claims import living_holders
from search.study.study import StoredStudy

__all__ = ["refuse_in_use"]


def refuse_in_use(stored: StoredStudy, what: str, *, force: bool) -> None:
    """Refuse if a process holds work of the study and is not known to be dead.

    Args:
        stored: the study.
        what: what is to be done with it, in a word, for the message.
        force: whether processes of other machines, of which nothing is known, count as dead.

    Raises:
        InputError: the study is in use.
    """
    for holder in living_holders(stored.storage.engine, stored.id):
        if holder.is_here():
            raise InputError(
                f"{stored.name} is in use by process {holder.pid}; stop that run, or wait until "
                f"it ends, then {what} the study"
            )
        if not force:
            raise InputError(
                f"{stored.name} is in use by process {holder.pid} on {holder.host}; stop it there, "
                f"or {what} with --force if that machine is gone"
            )

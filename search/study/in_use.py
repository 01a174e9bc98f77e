"""Keep a study that processes work on from being renamed or deleted under their hands.

Both sides say what they do before they look for the other: one that works on a study holds a claim
from before it reads its data until it ends, and so does one that changes the study as a whole. So
whichever comes second sees the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from search.errors import InputError
from search.storage.claims import Claims, living_holders
from search.storage.processes import ProcessId
from search.study.study import StoredStudy

__all__ = ["changing", "using"]

_USE = "use"
_CHANGE = "change"
_MOST_AT_ONCE = 10_000


@contextmanager
def using(stored: StoredStudy) -> Iterator[None]:
    """Work on a study in the block; nobody renames or deletes it meanwhile.

    Args:
        stored: the study, open for writing.

    Raises:
        InputError: another process renames or deletes it, or has done so since it was opened.
    """
    with _claimed(stored, _USE):
        for holder in _claims(stored, _CHANGE).unfinished().values():
            if not holder.is_known_dead():
                raise InputError(_changed_by(stored, holder))
        if not _is_there(stored):
            raise InputError(
                f"{stored.name} was renamed or deleted a moment ago; see flyweight studies list"
            )
        yield


@contextmanager
def changing(stored: StoredStudy, what: str, *, force: bool) -> Iterator[None]:
    """Rename or delete a study in the block; nobody begins to work on it meanwhile.

    Args:
        stored: the study, open for writing.
        what: what is to be done with it, in a word, for the message.
        force: whether processes of other machines, of which nothing is known, count as dead.

    Raises:
        InputError: a process that is not known to be dead works on the study or changes it.
    """
    with _claimed(stored, _CHANGE) as slot:
        claims = _claims(stored, _CHANGE)
        for other, holder in claims.unfinished().items():
            if other == slot or holder.is_known_dead():
                continue
            if holder.is_here() or not force:
                raise InputError(_changed_by(stored, holder))
            claims.release(other, holder)
        for holder in living_holders(stored.storage.engine, stored.id, but=_CHANGE):
            _refuse_worked_on(stored, holder, what, force=force)
        yield


def _refuse_worked_on(stored: StoredStudy, holder: ProcessId, what: str, *, force: bool) -> None:
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


def _changed_by(stored: StoredStudy, holder: ProcessId) -> str:
    if holder.is_here():
        return (
            f"{stored.name} is being renamed or deleted by process {holder.pid}; wait until it ends"
        )
    return (
        f"{stored.name} is being renamed or deleted by process {holder.pid} on {holder.host}; wait "
        "until it ends, or rename it with --force if that machine is gone"
    )


def _claims(stored: StoredStudy, work: str) -> Claims:
    return Claims(stored.storage.engine, stored.id, work)


@contextmanager
def _claimed(stored: StoredStudy, work: str) -> Iterator[int | None]:
    claims = _claims(stored, work)
    claims.release_dead()
    slot = claims.take(_MOST_AT_ONCE)
    try:
        yield slot
    finally:
        if slot is not None:
            claims.release(slot)


def _is_there(stored: StoredStudy) -> bool:
    try:
        return stored.storage.get_study_id_from_name(stored.name) == stored.id
    except KeyError:
        return False

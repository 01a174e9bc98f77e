"""The runs of a study: when each began, and what they did an hour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import optuna

from search.study.records import TrialRecord

__all__ = ["Session", "add_session", "sessions_of", "trials_an_hour"]

_ATTRIBUTE = "sessions"


@dataclass(frozen=True)
class Session:
    """One call of ``flyweight run`` that had trials left to train.

    Attributes:
        began: when it began, in this machine's time.
        trials: trained trials that it was to reach, over all runs.
    """

    began: datetime
    trials: int


def add_session(study: optuna.Study, trials: int) -> None:
    """Store that a run begins now.

    Args:
        study: that is run.
        trials: trained trials that it is to reach, over all runs.
    """
    kept = list(study.user_attrs.get(_ATTRIBUTE, ()))
    began = datetime.now().isoformat(timespec="seconds")
    study.set_user_attr(_ATTRIBUTE, [*kept, {"began": began, "trials": trials}])


def sessions_of(attributes: Mapping[str, Any]) -> tuple[Session, ...]:
    """Return the runs of a study, in order; none for one that an earlier version began.

    Args:
        attributes: the study's user attributes.
    """
    return tuple(
        Session(datetime.fromisoformat(kept["began"]), kept["trials"])
        for kept in attributes.get(_ATTRIBUTE, ())
    )


def trials_an_hour(
    records: Iterable[TrialRecord], sessions: Sequence[Session], now: datetime | None = None
) -> float | None:
    """Return the trained trials an hour of the last run that trained any, its start-up included.

    Args:
        records: of the study's trials; those taken over from another study do not count.
        sessions: its runs; without any, time counts from the beginning of the first trial.
        now: the end of the time that counts, while the run goes on; else its last trial's end.

    Returns:
        The rate; None before the first trained trial.
    """
    own = (record for record in records if "origin" not in record.attributes)
    spans = [(r.began, r.ended) for r in own if r.trained and r.began and r.ended]
    if not spans:
        return None
    last = max(ended for _, ended in spans)
    begun = [session.began for session in sessions if session.began <= last]
    start = begun[-1] if begun else min(began for began, _ in spans)
    count = sum(ended >= start for _, ended in spans)
    seconds = ((now or last) - start).total_seconds()
    return count * 3600 / seconds if seconds > 0 else None

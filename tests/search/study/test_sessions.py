from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from search.study.records import Outcome, TrialRecord
from search.study.sessions import Session, add_session, sessions_of, trials_an_hour
from tests.search.small_studies import begun

NOON = datetime(2026, 1, 1, 12)
TRIAL = TrialRecord(0, Outcome.PRUNED, "", None, None, {}, None, (), 0.0, None, None, {})


def record(start: float, end: float, outcome: Outcome = Outcome.PRUNED) -> TrialRecord:
    """A trial that began and ended so many minutes after noon."""
    began, ended = (NOON + timedelta(minutes=minutes) for minutes in (start, end))
    return replace(TRIAL, outcome=outcome, began=began, ended=ended)


def runs(*minutes: float) -> tuple[Session, ...]:
    """Runs that began so many minutes after noon."""
    return tuple(Session(NOON + timedelta(minutes=each), 10) for each in minutes)


@pytest.mark.parametrize(
    ("minutes", "sessions", "rate"),
    [
        ([], runs(0), None),
        ([(0, 0)], (), None),
        ([(0, 6)], (), 10),
        ([(3, 6), (0, 3)], (), 20),
        # The start-up of the run counts.
        ([(3, 6), (3, 6)], runs(0), 20),
        # What was trained in an earlier run does not, nor the time in between.
        ([(-900, -890), (1, 2), (2, 3)], runs(-901, 0), 40),
        # A run that has trained nothing yet says nothing of the rate.
        ([(0, 6)], runs(0, 7), 10),
        # A trial that began in an earlier run and was trained again counts where it ended.
        ([(-3, 6)], runs(-4, 0), 10),
    ],
)
def test_the_rate_is_that_of_the_last_run(
    minutes: list[tuple[float, float]], sessions: tuple[Session, ...], rate: float | None
) -> None:
    """Trials an hour count the time from the beginning of a run to the end of its last trial."""
    assert trials_an_hour([record(*each) for each in minutes], sessions) == rate


def test_rejected_trials_are_not_counted() -> None:
    """Only trained trials make a rate."""
    records = [record(0, 6), record(6, 7, Outcome.REJECTED), record(0, 8, Outcome.INTERRUPTED)]
    assert trials_an_hour(records, ()) == 10


def test_runs_are_kept_with_their_totals(tmp_path: Path) -> None:
    """Each run is stored with its beginning and its total, in order; an old study has none."""
    study = begun(tmp_path).study
    assert sessions_of(study.user_attrs) == ()
    for total in (30, 60):
        add_session(study, total)
    found = sessions_of(study.user_attrs)
    assert [session.trials for session in found] == [30, 60]
    assert datetime.now() - found[0].began < timedelta(minutes=1)

from __future__ import annotations

import multiprocessing
import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from optuna.trial import Trial, TrialState

import search.study.recovery
from search.storage.processes import ProcessId, this_process
from search.study.records import Outcome
from search.study.recovery import recover, requeue
from search.study.study import StoredStudy, open_study, trial_claims
from tests.search.small_studies import begun, reopened, search_here
from tests.search.small_studies import states as states_of

FORK = multiprocessing.get_context("fork")


def _dead_after(work: object) -> None:
    """Some work in a process that is killed right after it."""

    def run() -> None:
        work()  # type: ignore[operator]
        os.kill(os.getpid(), 9)

    process = FORK.Process(target=run)
    process.start()
    process.join()
    assert process.exitcode == -9


def _sign(trial: Trial, slot: int | None) -> None:
    trial.set_user_attr("worker", this_process().to_dict())
    trial.set_user_attr("slot", slot)


def _worker_dies(stored: StoredStudy, *, drawn: int = 2, outcome: Outcome | None = None) -> None:
    """A worker takes a slot and a trial, gets so far with it, and is killed."""

    def work() -> None:
        own = open_study(stored.name, stored.url, writing=True)
        slot = trial_claims(own).take(9)
        trial = own.study.ask()
        _sign(trial, slot)
        for name in ("a", "b")[:drawn]:
            trial.suggest_float(name, 0, 1)
        if outcome is not None:
            trial.set_user_attr("outcome", outcome)
            own.study.tell(trial, state=TrialState.PRUNED)

    _dead_after(work)


def _recover(stored: StoredStudy) -> int:
    return recover(stored.study, stored.storage, trial_claims(stored))


def test_a_dead_workers_trial_is_queued_again_at_once(tmp_path: Path) -> None:
    """The trial ends as interrupted, its parameters wait in the queue and its slot is free."""
    stored = begun(tmp_path)
    _worker_dies(stored)
    assert _recover(stored) == 1
    ended, queued = stored.study.get_trials(deepcopy=False)
    assert ended.state is TrialState.FAIL
    assert stored.records()[0].outcome is Outcome.INTERRUPTED
    assert stored.records()[0].reason == "its worker died"
    assert queued.state is TrialState.WAITING
    assert queued.system_attrs["fixed_params"] == ended.params
    assert queued.user_attrs["continues"] == 0
    assert trial_claims(stored).take(1) == 0
    assert _recover(stored) == 0


def test_a_queued_trial_keeps_what_it_had_not_drawn_yet(tmp_path: Path) -> None:
    """A worker that dies while it draws a queued trial loses none of the queued values."""
    stored = begun(tmp_path)
    stored.study.enqueue_trial({"a": 0.25, "b": 0.75})
    for drawn in (0, 1, 2):
        _worker_dies(stored, drawn=drawn)
        assert _recover(stored) == 1
    waiting = stored.study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
    assert [trial.system_attrs["fixed_params"] for trial in waiting] == [{"a": 0.25, "b": 0.75}]


def test_a_trial_without_parameters_is_not_queued(tmp_path: Path) -> None:
    """A worker that died before it drew anything leaves nothing to do again."""
    stored = begun(tmp_path)
    _worker_dies(stored, drawn=0)
    assert _recover(stored) == 1
    assert states_of(stored) == [TrialState.FAIL]


def test_living_workers_are_left_alone(tmp_path: Path) -> None:
    """A trial of this process, or of another machine, is not taken away."""
    stored = begun(tmp_path)
    slot = trial_claims(stored).take(9)
    _sign(stored.study.ask(), slot)
    elsewhere = ProcessId("elsewhere.invalid", 1, "x").to_dict()
    stored.study.ask().set_user_attr("worker", elsewhere)
    assert _recover(stored) == 0
    assert states_of(stored) == [TrialState.RUNNING] * 2
    assert trial_claims(stored).take(1) is None


def test_an_unsigned_trial_is_given_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trial that nobody has signed may be one that a living worker asked for just now."""
    stored = begun(tmp_path)
    trial_claims(stored).take(9)
    stored.study.ask()
    assert _recover(stored) == 0

    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime.now() + timedelta(seconds=61)

    monkeypatch.setattr(search.study.recovery, "datetime", Later)
    assert _recover(stored) == 1
    assert states_of(stored) == [TrialState.FAIL]


def test_an_unsigned_trial_that_nobody_can_sign_is_abandoned(tmp_path: Path) -> None:
    """It is queued again at once where every living worker has signed the trial it works on."""
    stored = begun(tmp_path)
    stored.study.enqueue_trial({"a": 0.25})

    def work() -> None:
        own = open_study(stored.name, stored.url, writing=True)
        trial_claims(own).take(9)
        own.study.ask()

    _dead_after(work)
    _sign(stored.study.ask(), trial_claims(stored).take(9))
    assert _recover(stored) == 1
    assert states_of(stored) == [TrialState.FAIL, TrialState.RUNNING, TrialState.WAITING]


@pytest.mark.parametrize("outcome", [Outcome.COMPLETE, Outcome.PRUNED, Outcome.DIVERGED])
def test_a_slot_whose_trial_was_trained_stays_taken(tmp_path: Path, outcome: Outcome) -> None:
    """A worker that died between ending its trial and saying so has done its piece of work."""
    stored = begun(tmp_path)
    _worker_dies(stored, outcome=outcome)
    assert _recover(stored) == 0
    assert trial_claims(stored).done() == 1
    assert trial_claims(stored).take(2) == 1


def test_a_slot_whose_trial_was_rejected_is_free(tmp_path: Path) -> None:
    """A worker that died after a rejection still owed a trained trial."""
    stored = begun(tmp_path)
    _worker_dies(stored, outcome=Outcome.REJECTED)
    assert _recover(stored) == 0
    assert trial_claims(stored).done() == 0
    assert trial_claims(stored).take(2) == 0


def test_a_trial_is_queued_again_once(tmp_path: Path) -> None:
    """Of two processes that recover the same trial one queues it."""
    stored = begun(tmp_path)
    trial = stored.study.ask()
    trial.suggest_float("a", 0, 1)
    frozen = stored.study.get_trials()[0]
    other = open_study(stored.name, stored.url, writing=True)
    found = [requeue(s.study, s.storage, frozen, "stopped") for s in (stored, other)]
    assert found == [True, False]
    assert states_of(reopened(tmp_path)) == [TrialState.FAIL, TrialState.WAITING]


def test_the_next_worker_trains_what_was_queued(tmp_path: Path) -> None:
    """An interrupted candidate is trained again with the same parameters, and counts once."""
    stored = begun(tmp_path, parameters=100_000)

    def work() -> None:
        own = open_study(stored.name, stored.url, writing=True)
        trial = own.study.ask()
        _sign(trial, trial_claims(own).take(1))
        own.file.search_space((1, 8, 8), 10).suggest(trial)
        own.file.recipe_space().suggest(trial, 1)

    _dead_after(work)
    assert _recover(stored) == 1
    search_here(stored, 1)
    ended, again = stored.study.get_trials(deepcopy=False)
    assert again.params == ended.params
    assert [record.outcome for record in stored.records()] == [
        Outcome.INTERRUPTED,
        Outcome.COMPLETE,
    ]

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import optuna
import pytest
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, Trial, TrialState

from search.storage.database import open_storage
from search.storage.rdb_storage import StudyStorage


def _study(folder: Path, name: str = "s") -> tuple[optuna.Study, StudyStorage]:
    storage = open_storage(f"sqlite:///{folder / 'study.db'}", create=True)
    sampler = optuna.samplers.RandomSampler(seed=3)
    study = optuna.create_study(storage=storage, study_name=name, sampler=sampler)
    return study, storage


def _draw(trial: Trial) -> None:
    trial.suggest_int("width", 4, 32)
    trial.suggest_float("rate", 1e-3, 1e-1, log=True)
    trial.suggest_categorical("head", ["gap", "linear"])
    trial.set_user_attr("cost", {"parameters": 7})
    trial.set_constraint("macs", 0.25)
    trial.set_constraint("parameters", -1.0)


def _seen_by_others(folder: Path, trial: Trial) -> FrozenTrial:
    url = f"sqlite:///{folder / 'study.db'}"
    return open_storage(url, writing=False).get_trial(trial._trial_id)


def _kept(trial: FrozenTrial) -> tuple[object, ...]:
    values = (trial.params, trial.distributions, trial.user_attrs, trial.system_attrs)
    return tuple(list(part.items()) for part in values)


def test_gathering_changes_nothing_that_is_kept(tmp_path: Path) -> None:
    """A trial whose values were written at once reads as one whose values were written singly."""
    plain, _ = _study(tmp_path, "plain")
    gathered, storage = _study(tmp_path, "gathered")
    for _ in range(3):
        one, other = plain.ask(), gathered.ask()
        _draw(one)
        with storage.write_batch(other._trial_id):
            _draw(other)
        assert _kept(_seen_by_others(tmp_path, one)) == _kept(_seen_by_others(tmp_path, other))


def test_values_are_written_when_the_block_ends(tmp_path: Path) -> None:
    """Others see nothing of a trial while it gathers and everything afterwards."""
    study, storage = _study(tmp_path)
    trial = study.ask()
    with storage.write_batch(trial._trial_id):
        _draw(trial)
        assert _kept(_seen_by_others(tmp_path, trial)) == ([], [], [], [])
    assert len(_seen_by_others(tmp_path, trial).params) == 3


def test_values_are_kept_where_the_block_fails(tmp_path: Path) -> None:
    """What was drawn before an error is there for those who queue the trial again."""
    study, storage = _study(tmp_path)
    trial = study.ask()

    def fail() -> None:
        with storage.write_batch(trial._trial_id):
            _draw(trial)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert set(_seen_by_others(tmp_path, trial).params) == {"width", "rate", "head"}


def test_a_gathering_process_sees_its_own_values(tmp_path: Path) -> None:
    """Within the block the trial reads as it will be, whenever it was first read."""
    study, storage = _study(tmp_path)
    trial = study.ask()
    with storage.write_batch(trial._trial_id):
        trial.suggest_int("width", 4, 32)
        early = storage.get_trial(trial._trial_id)
        _draw(trial)
        seen = storage.get_trial(trial._trial_id)
        assert early.params == seen.params == trial.params
        assert seen.user_attrs == {"cost": {"parameters": 7}}
        assert trial.constraints == {"macs": 0.25, "parameters": -1.0}
        with pytest.warns(UserWarning, match="already set"):
            trial.set_constraint("macs", 9.0)
    assert _seen_by_others(tmp_path, trial).constraints == {"macs": 0.25, "parameters": -1.0}


@pytest.mark.parametrize("write", ["report", "tell", "read all"])
def test_other_writes_and_reads_come_after(tmp_path: Path, write: str) -> None:
    """A report, the trial's end and a look at all trials find the gathered values written."""
    study, storage = _study(tmp_path)
    trial = study.ask()
    with storage.write_batch(trial._trial_id):
        _draw(trial)
        if write == "report":
            trial.report(0.5, 0)
        elif write == "tell":
            study.tell(trial, state=TrialState.PRUNED)
        else:
            assert len(study.get_trials(deepcopy=False)[0].params) == 3
        assert len(_seen_by_others(tmp_path, trial).params) == 3


def test_a_later_value_replaces_an_earlier_one(tmp_path: Path) -> None:
    """An attribute that is set again, before, within or after the block, has its last value."""
    study, storage = _study(tmp_path)
    trial = study.ask()
    trial.set_user_attr("a", 1)
    with storage.write_batch(trial._trial_id):
        trial.set_user_attr("a", 2)
        trial.set_user_attr("b", 1)
        trial.set_user_attr("b", 2)
    trial.set_user_attr("b", 3)
    assert _seen_by_others(tmp_path, trial).user_attrs == {"a": 2, "b": 3}


def test_other_trials_are_not_kept_back(tmp_path: Path) -> None:
    """Only the trial of the block gathers."""
    study, storage = _study(tmp_path)
    trial, other = study.ask(), study.ask()
    with storage.write_batch(trial._trial_id):
        other.set_user_attr("a", 1)
        other.suggest_int("width", 4, 32)
        assert len(_seen_by_others(tmp_path, other).params) == 1
        assert _seen_by_others(tmp_path, other).user_attrs == {"a": 1}


def test_a_trial_that_somebody_ended_takes_nothing(tmp_path: Path) -> None:
    """Gathered values of a trial that was ended meanwhile are refused as single ones are."""
    study, storage = _study(tmp_path)
    trial = study.ask()
    open_storage(f"sqlite:///{tmp_path / 'study.db'}").set_trial_state_values(
        trial._trial_id, TrialState.FAIL
    )
    with pytest.raises(UpdateFinishedTrialError), storage.write_batch(trial._trial_id):
        _draw(trial)
    assert _kept(_seen_by_others(tmp_path, trial)) == ([], [], [], [])


def test_another_kind_of_range_is_refused(tmp_path: Path) -> None:
    """A parameter cannot change between trials from a number to a choice."""
    study, storage = _study(tmp_path)
    study.ask().suggest_int("width", 4, 32)
    trial = study.ask()
    with pytest.raises(ValueError, match="distribution"), storage.write_batch(trial._trial_id):
        trial.suggest_categorical("width", ["narrow", "wide"])


def test_one_trial_gathers_at_a_time(tmp_path: Path) -> None:
    """A block within a block is a mistake."""
    _, storage = _study(tmp_path)
    with storage.write_batch(1), pytest.raises(RuntimeError), storage.write_batch(2):
        pass


def _keep(folder: Path, value: int) -> None:
    storage = open_storage(f"sqlite:///{folder / 'study.db'}")
    storage.keep_first(1, "decided", value)


def test_the_first_value_stays(tmp_path: Path) -> None:
    """Of several processes that keep an attribute once all find the same value afterwards."""
    study, _ = _study(tmp_path)
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(3, context) as pool:
        list(pool.map(_keep, [tmp_path] * 6, range(6)))
    first = study.user_attrs["decided"]
    assert first in range(6)
    _keep(tmp_path, 99)
    assert study.user_attrs["decided"] == first

"""Whole studies of a real database: listed, renamed, deleted, copied and merged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from optuna.trial import TrialState

from search.cli.app import main
from search.errors import InputError, StorageError, StudyFileError
from search.run.trials import search
from search.status import status
from search.storage.claims import Claims
from search.storage.database import open_storage, quiet_optuna
from search.storage.processes import ProcessId
from search.studies import copy_study, delete_study, list_studies, merge_studies, rename_study
from search.studies.making import StudyMaker
from search.study import Study
from search.study.records import Outcome
from search.study.study import StoredStudy, kept_files, open_study, trial_claims
from search.workers.stop import StopSignal
from tests.search.small_studies import (
    SKELETON,
    begun,
    search_here,
    template,
    url_in,
    worker_context,
    write_study,
)

WIDER = template("conv{k} {a} relu bn", "gap", "linear 10", k="[3, 5]", a="{ low = 4, high = 8 }")
"""The skeleton with a choice of kernels, of which there was one."""

NARROWER = template("conv3 {a} relu bn", "gap", "linear 10", a="{ low = 4, high = 5 }")
"""The skeleton without its wider networks."""


@pytest.fixture(scope="module")
def _trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study of four trained trials and one that waits."""
    quiet_optuna()
    folder = tmp_path_factory.mktemp("trained")
    stored = begun(folder, space=SKELETON, epochs=1, sampler="random", trials=4)
    search_here(stored, 4)
    stored.study.enqueue_trial({"a": 8})
    stored.storage.engine.dispose()
    return folder


@pytest.fixture
def folder(_trained: Path, tmp_path: Path) -> Path:
    """A copy of that folder."""
    shutil.copytree(_trained, tmp_path, dirs_exist_ok=True)
    return tmp_path


def _opened(folder: Path, name: str = "tiny") -> StoredStudy:
    return open_study(name, url_in(folder), writing=True)


def _figures(stored: StoredStudy) -> list[object]:
    """What a trial is, without what a copy gives it anew."""
    return [
        (r.outcome, r.score, r.architecture, r.recipe, r.epochs, r.began, r.ended, r.seconds)
        for r in stored.records()
    ]


def _weights(stored: StoredStudy) -> list[bytes]:
    names = kept_files(stored.storage, stored.id)
    return sorted((stored.artifacts / name).read_bytes() for name in names)


def _files(folder: Path) -> set[str]:
    return {path.name for path in (folder / "studies" / "artifacts").iterdir()}


def _train_one_more(stored: StoredStudy, total: int) -> None:
    search(stored, worker_context(), total, StopSignal())


def _widths(folder: Path) -> list[int]:
    return [
        int(t.params["a"]) for t in Study.open("tiny", storage=url_in(folder)).trials if t.score
    ]


def test_studies_are_listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each study has its trained trials, its best one, and the size of the files it keeps."""
    url = url_in(folder)
    (entry,) = list_studies(storage=url)
    best = Study.open("tiny", storage=url).best
    assert best is not None
    assert (entry.name, entry.trained, entry.best, entry.score) == (
        "tiny",
        4,
        best.number,
        best.score,
    )
    assert entry.weights_bytes == sum(map(len, _weights(_opened(folder)))) > 0
    assert main(["studies", "list", "--json", "--storage", url]) == 0
    assert json.loads(capsys.readouterr().out) == [entry.to_dict()]
    assert main(["studies", "list", "--storage", url]) == 0
    heading, line = capsys.readouterr().out.splitlines()
    assert heading.split()[0] == "study"
    assert line.split()[:3] == ["tiny", "4", "trial"]


def test_no_database_is_no_study(tmp_path: Path) -> None:
    """A list of a database that is not there is empty, and makes none."""
    assert list_studies(storage=url_in(tmp_path)) == []
    assert not (tmp_path / "studies").exists()


def test_a_renamed_study_goes_on_under_its_new_name(folder: Path) -> None:
    """Trials and weights stay, the old name is free, and a file of the new name resumes it."""
    before = _figures(_opened(folder)), _weights(_opened(folder))
    rename_study("tiny", "small", storage=url_in(folder))
    after = _opened(folder, "small")
    assert (_figures(after), _weights(after)) == before
    with pytest.raises(StorageError, match="it has: small"):
        _opened(folder)
    resumed = begun(folder, name="small", space=SKELETON, epochs=1, sampler="random", trials=5)
    _train_one_more(resumed, 5)
    assert [r.trained for r in resumed.records()] == [True] * 5


def test_names_are_checked_before_anything_changes(folder: Path) -> None:
    """A name that is taken, or that no study can have, is refused by every command."""
    url = url_in(folder)
    copy_study("tiny", "other", storage=url)
    before = _files(folder)
    for make in (
        lambda new: rename_study("tiny", new, storage=url),
        lambda new: copy_study("tiny", new, storage=url),
        lambda new: merge_studies(["tiny", "other"], new, storage=url),
    ):
        with pytest.raises(StorageError, match="has a study 'other' already"):
            make("other")
        with pytest.raises(StudyFileError):
            make("Not A Name")
    assert _files(folder) == before
    assert [entry.name for entry in list_studies(storage=url)] == ["tiny", "other"]


def test_a_deleted_study_leaves_nothing(folder: Path) -> None:
    """Its trials, claims and weights go, those of another stay, and its number can be used anew."""
    url = url_in(folder)
    copy_study("tiny", "other", storage=url)
    kept = _opened(folder)
    other = _opened(folder, "other")
    number = other.id
    weights = _weights(kept)
    delete_study("other", storage=url)
    assert [entry.name for entry in list_studies(storage=url)] == ["tiny"]
    assert _files(folder) == set(kept_files(kept.storage, kept.id))
    assert _weights(kept) == weights
    assert Claims(kept.storage.engine, number, "trial").done() == 0
    again = begun(folder, name="other", space=SKELETON, epochs=1)
    assert trial_claims(again).take(1) == 0


def test_deleting_touches_no_folder_that_was_copied_from(folder: Path, tmp_path: Path) -> None:
    """The weights of the study that a folder, or a database alone, is a copy of stay there."""
    here = _files(folder)
    for name, without in (("whole", ()), ("alone", ("artifacts",))):
        there = tmp_path / name
        ignored = shutil.ignore_patterns(*without)
        shutil.copytree(folder / "studies", there / "studies", ignore=ignored)
        left = delete_study("tiny", storage=url_in(there))
        assert _files(folder) == here, name
        assert (left is not None) == bool(without)
    assert _files(tmp_path / "whole") == set()


def test_deleting_asks(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal and without ``--yes`` nothing is deleted; with it, it is."""
    url = url_in(folder)
    assert main(["studies", "delete", "tiny", "--storage", url]) == 2
    assert "--yes" in capsys.readouterr().err
    assert list_studies(storage=url)
    assert main(["studies", "delete", "tiny", "--yes", "--storage", url]) == 0
    assert list_studies(storage=url) == []


def test_a_study_in_use_is_neither_deleted_nor_renamed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a process holds work of it, it is refused; of a machine that is gone, by force."""
    url = url_in(folder)
    claims = trial_claims(_opened(folder))
    assert claims.take(9) == 4
    for force in (False, True):
        with pytest.raises(InputError, match="in use by process"):
            delete_study("tiny", storage=url, force=force)
    claims.release(4)
    elsewhere = ProcessId("elsewhere", 7, "then")
    monkeypatch.setattr("search.storage.claims.this_process", lambda: elsewhere)
    assert claims.take(9) == 4
    with pytest.raises(InputError, match=r"process 7 on elsewhere.*--force"):
        rename_study("tiny", "small", storage=url)
    rename_study("tiny", "small", storage=url, force=True)
    assert [entry.name for entry in list_studies(storage=url)] == ["small"]


def test_a_copy_goes_on_exactly_as_its_study(folder: Path) -> None:
    """The queue, the count and the next trials of both are the same, and weights are apart."""
    url = url_in(folder)
    made = copy_study("tiny", "copy", storage=url)
    assert (made.trials, made.trained) == (5, 4)
    study, copy = _opened(folder), _opened(folder, "copy")
    assert _figures(copy) == _figures(study)
    assert _weights(copy) == _weights(study)
    assert not set(kept_files(copy.storage, copy.id)) & set(kept_files(study.storage, study.id))
    for stored in (study, copy):
        _train_one_more(stored, 6)
        assert trial_claims(stored).done() == 6
    ends = [
        [(r.score, r.architecture, r.recipe, [e.accuracy for e in r.epochs]) for r in s.records()]
        for s in (study, copy)
    ]
    assert ends[0] == ends[1]
    assert len(ends[0]) == 6


def test_a_trial_in_training_is_queued_in_the_copy(folder: Path) -> None:
    """The study's own trial runs on; the copy has its parameters in the queue and counts right."""
    study = _opened(folder)
    asked = study.study.ask()
    asked.suggest_int("a", 4, 8)
    copy_study("tiny", "copy", storage=url_in(folder))
    copy = _opened(folder, "copy")
    states = [trial.state for trial in copy.study.get_trials(deepcopy=False)]
    assert TrialState.RUNNING not in states
    assert copy.records()[asked.number].outcome is Outcome.INTERRUPTED
    queued = copy.study.get_trials(deepcopy=False)[-1]
    assert queued.system_attrs["fixed_params"]["a"] == asked.params["a"]
    assert study.study.get_trials()[asked.number].state is TrialState.RUNNING
    assert trial_claims(copy).done() == 4


def test_a_choice_is_added_to_a_study(folder: Path) -> None:
    """All trained trials are drawn from the wider space, with weights, and the search goes on."""
    url = url_in(folder)
    path = write_study(folder, name="wider", space=WIDER, epochs=1, sampler="tpe", trials=5)
    made = copy_study("tiny", "wider", file=path, storage=url)
    assert (made.trials, made.trained, made.left_out) == (4, 4, {"not finished": 1})
    study, wider = _opened(folder), _opened(folder, "wider")
    assert _figures(wider) == _figures(study)[:4]
    assert _weights(wider) == _weights(study)
    trials = wider.study.get_trials(deepcopy=False)
    names = set(trials[0].params)
    assert "k" in names
    for trial, old in zip(trials, study.study.get_trials(deepcopy=False), strict=False):
        assert set(trial.params) == names
        assert trial.params["k"] == 3
        assert {name: trial.params[name] for name in old.params} == old.params
        assert trial.user_attrs["origin"] == {"study": "tiny", "trial": old.number}
        assert set(trial.constraints) == set(old.constraints)
    resumed = begun(folder, name="wider", space=WIDER, epochs=1, sampler="tpe", trials=5)
    _train_one_more(resumed, 5)
    assert sum(r.trained for r in resumed.records()) == 5
    assert set(resumed.study.get_trials()[-1].params) == names


@pytest.mark.parametrize("changed", [{"space": NARROWER}, {"parameters": 145}])
def test_what_a_changed_file_does_not_hold_is_left_out(
    folder: Path, changed: dict[str, object]
) -> None:
    """Exactly the trials inside the narrower space, or the smaller budget, are taken over."""
    url = url_in(folder)
    trials = [t for t in Study.open("tiny", storage=url).trials if t.score is not None]
    if "space" in changed:
        fits = [t for t in trials if t.params["a"] <= 5]
    else:
        fits = [t for t in trials if t.cost is not None and t.cost.parameters <= 145]
    assert 0 < len(fits) < len(trials), "choose another seed"
    path = write_study(folder, name="less", **{"space": SKELETON, "epochs": 1, **changed})
    made = copy_study("tiny", "less", file=path, storage=url)
    reason = "outside the space" if "space" in changed else "over the budget"
    assert made.left_out == {reason: len(trials) - len(fits), "not finished": 1}
    taken = Study.open("less", storage=url).trials
    assert [t.architecture for t in taken] == [t.architecture for t in fits]
    assert trial_claims(_opened(folder, "less")).done() == len(fits)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"epochs": 2}, "recipe.epochs: was 1, now 2"),
        ({"optimizer": "sgd"}, 'recipe.optimizer: was "adamw", now "sgd"'),
        ({"learning_rate": "0.3"}, "holds no trial of tiny"),
        ({"name": "another"}, 'names its study "another"'),
    ],
)
def test_figures_that_cannot_be_compared_are_not_mixed(
    folder: Path, changed: dict[str, object], named: str
) -> None:
    """A file that fixes the recipe otherwise is refused with the difference; nothing is made."""
    before = _files(folder)
    values = {"name": "less", "space": SKELETON, "epochs": 1, **changed}
    path = write_study(folder, **values)
    with pytest.raises(InputError, match=named):
        copy_study("tiny", "less", file=path, storage=url_in(folder))
    assert _files(folder) == before
    assert len(open_storage(url_in(folder)).get_all_studies()) == 1


def test_studies_of_one_file_are_merged(folder: Path) -> None:
    """The new study has all finished trials in order, with their origin, and counts them right."""
    url = url_in(folder)
    other = begun(
        folder, name="other", space=SKELETON, epochs=1, sampler="random", seed=2, trials=2
    )
    search_here(other, 2)
    made = merge_studies(["tiny", "other"], "both", storage=url)
    assert (made.trials, made.trained, made.left_out) == (6, 6, {"not finished": 1})
    both = _opened(folder, "both")
    assert _figures(both) == [*_figures(_opened(folder))[:4], *_figures(other)]
    assert [trial.user_attrs["origin"] for trial in both.study.get_trials()] == [
        *({"study": "tiny", "trial": number} for number in range(4)),
        *({"study": "other", "trial": number} for number in range(2)),
    ]
    assert (both.file.settings.trials, both.file.settings.seed) == (6, 1)
    assert trial_claims(both).take(7) == 6
    (state,) = status("both", storage=url)
    assert state.trials_an_hour is None  # it has trained none itself
    copy_study("tiny", "copy", storage=url)
    again = merge_studies(["tiny", "other", "copy"], "all", storage=url)
    assert (again.trials, again.trained) == (6, 6)
    assert again.left_out == {"not finished": 2, "there already": 4}


def test_repeats_of_a_trial_that_is_there_already_name_it(tmp_path: Path) -> None:
    """A copy that went on with its candidate brings repeats of the one trial that both have."""
    one = template("conv3 4 relu", "gap", "linear 10")
    seeds = "floor_epochs = 1\nseeds_per_candidate = 9"
    url = url_in(tmp_path)
    search_here(begun(tmp_path, space=one, learning_rate=0.01, epochs=1, study=seeds), 1)
    copy_study("tiny", "copy", storage=url)
    search_here(_opened(tmp_path, "copy"), 3)
    made = merge_studies(["tiny", "copy"], "both", storage=url)
    assert made.left_out == {"there already": 1}
    records = _opened(tmp_path, "both").records()
    assert [(each.repeat_of, each.fold) for each in records] == [(None, 0), (0, 1), (0, 2)]


def test_other_studies_are_not_merged(folder: Path) -> None:
    """Studies that differ in more than name, seed and trials are refused with the difference."""
    begun(folder, name="other", space=SKELETON, epochs=2, sampler="random")
    with pytest.raises(InputError, match=r"recipe\.epochs: was 1, now 2"):
        merge_studies(["tiny", "other"], "both", storage=url_in(folder))
    with pytest.raises(InputError, match="two or more"):
        merge_studies(["tiny"], "both", storage=url_in(folder))


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_a_killed_copy_is_cleaned_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a dead process has left of a study is invisible, and goes with the next one made."""
    url = url_in(folder)
    stored = _opened(folder)
    dead = ProcessId.from_dict({**stored.records()[0].attributes["worker"], "started": "before"})
    monkeypatch.setattr("search.studies.making.this_process", lambda: dead)
    maker = StudyMaker("copy", stored)
    maker.add(stored.study.get_trials(deepcopy=False)[0], stored)
    monkeypatch.undo()
    assert [entry.name for entry in list_studies(storage=url)] == ["tiny"]
    copy_study("tiny", "copy", storage=url)
    names = [study.study_name for study in stored.storage.get_all_studies()]
    assert names == ["tiny", "copy"]
    kept = [kept_files(stored.storage, _opened(folder, name).id) for name in names]
    assert _files(folder) == {file for files in kept for file in files}


def test_repeats_name_their_first_trial_in_the_new_study(tmp_path: Path) -> None:
    """Behind another study's trials, a repeat names its first trial by the number it has now."""
    two = template("conv3 {a} relu bn", "gap", "linear 10", a="[4, 5]")
    study = "floor_epochs = 1\nseeds_per_candidate = 2"
    for name, seed in (("tiny", 1), ("other", 2)):
        stored = begun(
            tmp_path, name=name, space=two, epochs=1, seed=seed, study=study, learning_rate=0.01
        )
        search_here(stored, 4)
    merge_studies(["tiny", "other"], "both", storage=url_in(tmp_path))
    records = _opened(tmp_path, "both").records()
    assert len(records) == 8
    for half in (records[:4], records[4:]):
        first = {record.key: record.number for record in reversed(half)}
        assert [record.repeat_of for record in half] == [
            None if first[record.key] == record.number else first[record.key] for record in half
        ]
        assert [record.fold for record in half if record.repeat_of is not None] == [1, 1]


def test_a_changed_file_may_rank_by_another_score(tmp_path: Path) -> None:
    """Scores are computed again from the epochs that were kept; the values stay."""
    stored = begun(tmp_path, space=SKELETON, epochs=3, study="floor_epochs = 2")
    search_here(stored, 2)
    file = write_study(
        tmp_path, name="new", space=SKELETON, epochs=3, study='floor_epochs = 2\nscore = "floor"'
    )
    copy_study("tiny", "new", file=file, storage=url_in(tmp_path))
    old, new = stored.records(), _opened(tmp_path, "new").records()
    assert [record.score for record in new] == [record.score for record in old]
    assert [record.rank_score for record in new] == [record.score for record in old]
    assert [record.rank_score for record in old] != [record.score for record in old]

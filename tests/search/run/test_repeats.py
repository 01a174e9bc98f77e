from __future__ import annotations

from collections import Counter
from io import StringIO
from pathlib import Path

import pytest
import torch
from rich.console import Console

from search.errors import StudyFileError
from search.replay import replay
from search.run.command import RunResult, run
from search.strategies import counted
from search.study.records import SCORE_ATTRIBUTE, Outcome
from search.study.scores import SCORES
from search.study.study import STUDY_ATTRIBUTE, StoredStudy, open_study
from search.workers.data import Folds, open_data
from tests.search.small_studies import begun, search_here, template, url_in, write_study
from trainer.metrics import floor, tail_mean

THREE = template("conv3 {a} relu", "gap", "linear 10", a="[4, 5, 6]")
ONE = template("conv3 4 relu", "gap", "linear 10")
MANY = "floor_epochs = 1\nseeds_per_candidate = 9"


def _without_score(stored: StoredStudy, tmp_path: Path) -> StoredStudy:
    """Return a study as an earlier version began it."""
    kept = stored.kept
    study = {key: value for key, value in kept["file"]["study"].items() if key != "score"}
    kept["file"] = {**kept["file"], "study": study}
    stored.study.set_user_attr(STUDY_ATTRIBUTE, kept)
    return open_study("tiny", url_in(tmp_path), writing=True)


def test_a_candidate_drawn_again_is_one_more_seed_on_the_next_fold(tmp_path: Path) -> None:
    """Equal candidates name their first trial and go from fold to fold, each with its own seed."""
    stored = begun(
        tmp_path, space=THREE, epochs=1, study=MANY, sampler="random", learning_rate=0.01
    )
    search_here(stored, 9)
    by_key: dict[str | None, list[int]] = {}
    records = stored.records()
    for record in records:
        same = by_key.setdefault(record.key, [])
        assert record.fold == len(same) % 6
        assert record.repeat_of == (same[0] if same else None)
        same.append(record.number)
    assert max(map(len, by_key.values())) >= 3
    assert len({record.recipe["seed"] for record in records}) == 9


def test_a_repeat_is_judged_on_the_images_of_its_fold(tmp_path: Path) -> None:
    """Trained once more, a repeat gives its own figures, so its fold is that of the replay."""
    stored = begun(tmp_path, space=ONE, learning_rate=0.01, epochs=1, study=MANY)
    search_here(stored, 2)
    first, second = stored.records()
    assert (first.fold, second.fold) == (0, 1)
    assert replay("tiny", 1, storage=url_in(tmp_path), data=tmp_path).same
    folds = Folds(open_data(stored.file, tmp_path), torch.device("cpu"))
    assert not torch.equal(folds[0].evaluation.pixels, folds[1].evaluation.pixels)


def test_a_repeat_is_never_pruned(tmp_path: Path) -> None:
    """Where every new candidate after the first would be stopped, its repeats train to the end."""
    stored = begun(tmp_path, space=ONE, learning_rate=0.01, epochs=9, study=MANY, pruner="halving")
    search_here(stored, 6)
    assert {record.outcome for record in stored.records()} == {Outcome.COMPLETE}
    assert {len(record.epochs) for record in stored.records()} == {9}


@pytest.mark.parametrize("score", ["mean", "floor", None])
def test_a_new_study_keeps_its_score_beside_the_floor(tmp_path: Path, score: str | None) -> None:
    """The value stays the floor; the score is what the file names, by default the mean."""
    keys = "floor_epochs = 3" + (f'\nscore = "{score}"' if score else "")
    stored = begun(tmp_path, space=ONE, learning_rate=0.01, epochs=4, study=keys)
    search_here(stored, 1)
    (record,) = stored.records()
    accuracies = [epoch.accuracy for epoch in record.epochs]
    assert record.score == floor(accuracies, 3)
    assert record.rank_score == SCORES[score or "mean"](accuracies, 3)
    assert open_study("tiny", url_in(tmp_path), writing=False).file.settings.score == (
        score or "mean"
    )


def test_a_study_without_the_key_goes_on_as_it_began(tmp_path: Path) -> None:
    """It keeps no score, ranks by the floor, judges all on one split, and resumes with its file."""
    stored = _without_score(
        begun(tmp_path, space=ONE, learning_rate=0.01, epochs=1, study=MANY), tmp_path
    )
    search_here(stored, 2)
    records = stored.records()
    assert all(SCORE_ATTRIBUTE not in record.attributes for record in records)
    assert [record.fold for record in records] == [0, 0]
    assert [record.repeat_of for record in records] == [None, None]
    assert [record.rank_score for record in records] == [record.score for record in records]
    begun(tmp_path, space=ONE, learning_rate=0.01, epochs=1, study=MANY)


def test_a_counted_space_ends_when_each_candidate_had_its_seeds(tmp_path: Path) -> None:
    """Six settings make three candidates; each is trained twice, whatever the sampler proposes."""
    space = template("conv3 {a} relu{b}", "gap", "linear 10", a="[4, 5, 6]", b='["", " "]')
    study = "floor_epochs = 1\nseeds_per_candidate = 2"
    stored = begun(tmp_path, space=space, learning_rate=0.01, epochs=1, study=study)
    search_here(stored, 100)
    found = Counter(record.architecture for record in stored.records() if record.trained)
    assert sorted(found.values()) == [2, 2, 2]
    search_here(stored, 100)
    assert len(stored.records()) == 6


def test_hyperband_does_not_hide_trainings(tmp_path: Path) -> None:
    """It shows a sampler a part of the trials, and still none is trained twice."""
    space = template("conv3 {a} relu", "gap", "linear 10", a="[4, 5, 6, 7, 8, 9, 10, 11]")
    stored = begun(
        tmp_path, space=space, learning_rate=0.01, epochs=6, sampler="random", pruner="hyperband"
    )
    search_here(stored, 100)
    assert len({record.key for record in stored.records()}) == len(stored.records()) == 8


def test_the_one_candidate_that_fits_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 225 settings one fits: it is proposed after some rejections, for it is known."""
    monkeypatch.setattr(counted, "_REJECTIONS", 5)
    width = "{ low = 1, high = 15 }"
    space = template("conv3 {a} relu", "conv3 {b} relu", "gap", "linear 10", a=width, b=width)
    stored = begun(
        tmp_path, space=space, parameters=40, learning_rate=0.01, epochs=1, sampler="random"
    )
    search_here(stored, 100)
    outcomes = [record.outcome for record in stored.records()]
    assert outcomes == [Outcome.REJECTED] * 5 + [Outcome.COMPLETE]


def _run(folder: Path, trials: int | None = None) -> tuple[RunResult, str]:
    """Run the study of a folder; what it came to and what it said."""
    shown = StringIO()
    result = run(
        folder / "tiny.toml",
        trials=trials,
        storage=url_in(folder),
        data=folder,
        device="cpu",
        workers=1,
        console=Console(width=200, file=shown),
    )
    return result, shown.getvalue()


def test_a_run_says_that_a_space_is_counted(tmp_path: Path) -> None:
    """The run ends well after one training of each candidate, and says beforehand that it will."""
    write_study(tmp_path, space=THREE, learning_rate=0.01, epochs=1, trials=50)
    result, words = _run(tmp_path)
    assert (result.trained, result.total) == (3, 3)
    assert (
        "this space has 3 candidates that fit the budget: the run ends when each was trained once"
        in words
    )


@pytest.mark.usefixtures("warm_workers")
def test_a_run_that_ends_before_a_space_does_says_so(tmp_path: Path) -> None:
    """With fewer trials than candidates it is the trials that end it."""
    write_study(tmp_path, space=THREE, learning_rate=0.01, epochs=1, trials=50)
    result, words = _run(tmp_path, trials=1)
    assert (result.trained, result.total) == (1, 1)
    assert "3 candidates that fit the budget: the run ends when 1 trial is trained" in words


@pytest.mark.usefixtures("warm_workers")
def test_a_candidate_trained_twice_takes_no_training_from_the_others(tmp_path: Path) -> None:
    """Where two workers drew the same one at once, the run still ends with each trained."""
    stored = begun(tmp_path, space=THREE, learning_rate=0.01, epochs=1, trials=50)
    for _ in range(2):
        stored.study.enqueue_trial({"a": 4})
    result, _ = _run(tmp_path)
    found = Counter(record.architecture for record in stored.records() if record.trained)
    assert sorted(found.values()) == [1, 1, 2]
    assert (result.trained, result.total) == (4, 4)


def test_a_worker_of_its_own_leaves_no_candidate_out(tmp_path: Path) -> None:
    """One that joins without a run counts as the run does."""
    stored = begun(tmp_path, space=THREE, learning_rate=0.01, epochs=1)
    for _ in range(2):
        stored.study.enqueue_trial({"a": 4})
    search_here(stored, 100)
    found = Counter(record.architecture for record in stored.records() if record.trained)
    assert sorted(found.values()) == [1, 1, 2]


def test_a_counted_space_without_a_candidate_is_refused(tmp_path: Path) -> None:
    """Each setting is over one of two limits that the smallest of either cost keeps."""
    space = template("{t}", "gap", "linear 10", t='["conv3 4 relu", "conv3 8 stride3 relu"]')
    budget = "100\nmacs = 1000"
    write_study(tmp_path, space=space, parameters=budget, learning_rate=0.01, epochs=1)
    with pytest.raises(StudyFileError, match="budget: no candidate of this space fits"):
        _run(tmp_path)
    assert not (tmp_path / "studies").exists()


def test_means_and_floors_need_epochs() -> None:
    """Both statistics refuse nothing to take them of."""
    for statistic in (floor, tail_mean):
        with pytest.raises(ValueError, match="at least one epoch"):
            statistic([], 5)
        with pytest.raises(ValueError, match="at least one epoch"):
            statistic([0.5], 0)
